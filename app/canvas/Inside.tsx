import { memo } from "react";
import { say } from "../../core/language/say.ts";
import { categoryColor } from "./categories.ts";
import type { InsideDrawing } from "./insideDrawing.ts";

/** One body of a zone or block, drawn small on its node. */
export const Inside = memo(function Inside({ role, named, text, problem, drawing }: { role: string; named: boolean; text: string; problem: boolean; drawing: InsideDrawing }) {
  const { width, height, cards, wires, small } = drawing;
  return (
    <figure data-role={role} data-problem={problem || undefined}>
      {named && <figcaption>{role.replaceAll("_", " ")}</figcaption>}
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${role}: ${text}`}>
        {wires.map((wire) => (
          <path key={wire.id} d={wire.path} className="inside-wire" />
        ))}
        {cards.map((card) =>
          small ? (
            <rect key={card.id} x={card.x} y={card.y} width={card.width} height={card.height} rx={1} fill={categoryColor(card.category)} />
          ) : card.isPort ? (
            <g key={card.id} className="inside-port">
              <rect x={card.x + 0.5} y={card.y + 0.5} width={card.width - 1} height={card.height - 1} rx={card.height / 2 - 0.5} />
              <text x={card.x + card.width / 2} y={card.y + 11.5} textAnchor="middle">
                {fit(card.title, 16)}
                {card.goesRound && " ↻"}
              </text>
              {card.goesRound && <title>{say("{title} goes round", { title: card.title })}</title>}
            </g>
          ) : (
            <g key={card.id} className="inside-card" data-severity={card.severity ?? undefined}>
              <rect x={card.x + 0.5} y={card.y + 0.5} width={card.width - 1} height={card.height - 1} rx={5} />
              <rect x={card.x + 4} y={card.y + 5} width={2.5} height={card.height - 10} rx={1.25} style={{ fill: categoryColor(card.category), stroke: "none" }} />
              <text x={card.x + 12} y={card.y + 14.5}>
                {fit(card.title, 17)}
              </text>
            </g>
          ),
        )}
      </svg>
    </figure>
  );
});

function fit(text: string, letters: number): string {
  return text.length > letters ? `${text.slice(0, letters - 1)}…` : text;
}
