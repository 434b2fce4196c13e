import type { KerasUnsupported } from "../../core/export/keras.ts";
import { say } from "../../core/language/say.ts";

/** Why there is no Keras script of a model: every node that stands in the way. */
export function KerasMissing({ missing }: { missing: KerasUnsupported["layers"] }) {
  return (
    <section aria-label={say("Not in Keras")}>
      <p className="font-medium">
        {say("Keras has no counterpart of {one} of this model.", { one: missing.length === 1 ? say("one node") : say("{count} nodes", { count: missing.length }) })}
      </p>
      <dl className="mt-1.5 space-y-1.5">
        {missing.map(({ node, title, why }) => (
          <div key={node}>
            <dt>
              {title} <span className="font-mono text-sm [overflow-wrap:anywhere] text-ink2">{node}</span>
            </dt>
            <dd className="text-ink2">{why.charAt(0).toUpperCase() + why.slice(1)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
