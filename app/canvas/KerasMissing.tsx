import type { KerasUnsupported } from "../../core/export/keras.ts";

/** Why there is no Keras script of a model: every node that stands in the way. */
export function KerasMissing({ missing }: { missing: KerasUnsupported["layers"] }) {
  return (
    <section aria-label="Not in Keras">
      <p className="font-medium">Keras has no counterpart of {missing.length === 1 ? "one node" : `${missing.length} nodes`} of this model.</p>
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
