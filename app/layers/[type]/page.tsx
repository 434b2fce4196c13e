import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import { say } from "../../../core/language/say.ts";
import { findLayer, layers } from "../../../core/layers/index.ts";
import type { Layer } from "../../../core/layers/kit.ts";
import { sections } from "../../canvas/categories.ts";
import { exampleGraph } from "../../canvas/help/example.ts";
import { LayerHelp } from "../../canvas/help/LayerHelp.tsx";
import { linkTo } from "../../canvas/link.ts";
import { ButtonLink } from "../../ui/Button.tsx";
import { formatCount } from "../../ui/format.ts";
import { Line } from "../../ui/Panel.tsx";
import { TopBar } from "../../ui/TopBar.tsx";

type Props = { params: Promise<{ type: string }> };

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const layer = findLayer((await params).type);
  return layer ? { title: layer.title, description: layer.doc } : {};
}

/** All about one layer: the same that help says in the studio, with an example of it at work and its neighbours. */
export default async function Page({ params }: Props) {
  const layer = findLayer((await params).type);
  if (!layer) notFound();
  const alike = layers.filter(({ category, type }) => category === layer.category && type !== layer.type);
  const section = sections.find(({ category }) => category === layer.category)?.title ?? "";
  const at = layers.indexOf(layer);
  const example = exampleGraph(layer);
  const link = example && (await linkTo(example.graph, say("{title} at work", { title: layer.title }), ""));
  return (
    <>
      <TopBar place={[{ label: say("Layers"), href: "/layers" }, { label: layer.title }]} />
      <main className="mx-auto grid max-w-5xl gap-x-12 gap-y-8 px-4 py-6 lg:grid-cols-[minmax(0,560px)_minmax(0,1fr)]">
        <article className="min-w-0 space-y-4">
          <header>
            <Link href={`/layers#${layer.category}`} className="flex items-center gap-2 text-ink2 hover:text-ink">
              <span aria-hidden className="h-3.5 w-[3px] rounded-full" style={{ background: `var(--category-${layer.category})` }} />
              {section}
            </Link>
            <h1 className="pt-0.5 text-title font-semibold">{layer.title}</h1>
          </header>
          <LayerHelp layer={layer} />
        </article>
        <aside className="space-y-6">
          {example && link && "link" in link && (
            <section aria-labelledby="example">
              <h2 id="example" className="section-name pb-1">
                {say("At work")}
              </h2>
              <dl className="pb-2">
                <Line name={say("Parameters")}>{formatCount(example.parameters)}</Line>
                <Line name={say("Multiply-adds")}>{say("{multiplyAdds} / sample", { multiplyAdds: formatCount(example.multiplyAdds) })}</Line>
              </dl>
              <ButtonLink href={link.link}>{say("Open this example on a canvas")}</ButtonLink>
            </section>
          )}
          {alike.length > 0 && (
            <nav aria-labelledby="alike">
              <h2 id="alike" className="section-name pb-1">
                {say("Also in {section}", { section })}
              </h2>
              <ul className="columns-2 gap-x-4">
                {alike.map(({ type, title }) => (
                  <li key={type}>
                    <Link href={`/layers/${type}`} prefetch={false} className="block min-h-6 truncate py-0.5 hover:underline">
                      {title}
                    </Link>
                  </li>
                ))}
              </ul>
            </nav>
          )}
          <nav aria-label={say("Neighbours")} className="flex justify-between gap-3 border-line border-t pt-3">
            <Neighbour layer={layers[at - 1]} before />
            <Neighbour layer={layers[at + 1]} />
          </nav>
        </aside>
      </main>
    </>
  );
}

function Neighbour({ layer, before }: { layer: Layer | undefined; before?: boolean }) {
  if (!layer) return <span />;
  return (
    <Link href={`/layers/${layer.type}`} prefetch={false} className="text-accent hover:underline">
      {before ? `← ${layer.title}` : `${layer.title} →`}
    </Link>
  );
}
