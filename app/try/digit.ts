/** A stroke as drawn: points in any unit, y downwards. One point alone is a dot. */
export type Stroke = readonly (readonly [x: number, y: number])[];

/**
 * A drawing as MNIST would hold it: grey on black, 0 to 255, row by row. The digit is scaled to fit a box of 20/28 of the side with its
 * proportions kept, and set so that its centre of mass lies in the middle, as the set's makers did. Strokes are scaled as
 * lines and only then painted, so a digit drawn small comes out with the same pen as one drawn large.
 * @see http://yann.lecun.com/exdb/mnist/ (on size normalization and centring)
 */
export function paintDigit(strokes: readonly Stroke[], side = 28): Uint8Array {
  // The set's centre is pixel 14 of 0…27, whose middle stands at 14.5.
  const middle = (side + 1) / 2;
  const drawn = strokes.filter((stroke) => stroke.length > 0);
  if (drawn.length === 0) return new Uint8Array(side * side);
  const pen = (PEN * side) / 28;
  const box = (20 * side) / 28 - pen;
  const points = drawn.flat();
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const left = Math.min(...xs);
  const top = Math.min(...ys);
  const width = Math.max(...xs) - left;
  const height = Math.max(...ys) - top;
  const scale = width === 0 && height === 0 ? 1 : box / Math.max(width, height);
  const fitted = drawn.map((stroke) => stroke.map(([x, y]): [number, number] => [middle + (x - left - width / 2) * scale, middle + (y - top - height / 2) * scale]));
  const rough = paint(fitted, side, pen);
  const [massX, massY] = centreOfMass(rough, side);
  // Ink never leaves the picture: a mass far off the middle moves the digit only as far as the margin allows.
  const room = (side - 1 - pen) / 2;
  const shiftX = clamp(middle - massX, (width * scale) / 2 - room, room - (width * scale) / 2);
  const shiftY = clamp(middle - massY, (height * scale) / 2 - room, room - (height * scale) / 2);
  return paint(
    fitted.map((stroke) => stroke.map(([x, y]): [number, number] => [x + shiftX, y + shiftY])),
    side,
    pen,
  );
}

/** Pen width in pixels of a 28-pixel picture: about the mean of MNIST's. */
const PEN = 2.6;

/** Paints lines with a round, soft-edged pen: a pixel's grey falls off over one pixel at the pen's edge. */
function paint(strokes: readonly Stroke[], side: number, pen: number): Uint8Array {
  const picture = new Uint8Array(side * side);
  for (const stroke of strokes) {
    for (let index = 0; index < stroke.length; index++) {
      const [x0, y0] = stroke[Math.max(0, index - 1)] as readonly [number, number];
      const [x1, y1] = stroke[index] as readonly [number, number];
      const reach = pen / 2 + 1;
      const fromRow = Math.max(0, Math.floor(Math.min(y0, y1) - reach));
      const toRow = Math.min(side - 1, Math.ceil(Math.max(y0, y1) + reach));
      const fromColumn = Math.max(0, Math.floor(Math.min(x0, x1) - reach));
      const toColumn = Math.min(side - 1, Math.ceil(Math.max(x0, x1) + reach));
      for (let row = fromRow; row <= toRow; row++) {
        for (let column = fromColumn; column <= toColumn; column++) {
          const distance = distanceToSegment(column + 0.5, row + 0.5, x0, y0, x1, y1);
          const grey = Math.round(255 * clamp(pen / 2 + 0.5 - distance, 0, 1));
          const at = row * side + column;
          if (grey > (picture[at] as number)) picture[at] = grey;
        }
      }
    }
  }
  return picture;
}

function distanceToSegment(x: number, y: number, x0: number, y0: number, x1: number, y1: number): number {
  const dx = x1 - x0;
  const dy = y1 - y0;
  const length2 = dx * dx + dy * dy;
  const along = length2 === 0 ? 0 : clamp(((x - x0) * dx + (y - y0) * dy) / length2, 0, 1);
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
}

/** Centre of the ink, in pixels from the top left corner. */
export function centreOfMass(picture: Uint8Array, side: number): [number, number] {
  let mass = 0;
  let sumX = 0;
  let sumY = 0;
  for (const [at, grey] of picture.entries()) {
    mass += grey;
    sumX += grey * ((at % side) + 0.5);
    sumY += grey * (Math.floor(at / side) + 0.5);
  }
  return mass === 0 ? [side / 2, side / 2] : [sumX / mass, sumY / mass];
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
