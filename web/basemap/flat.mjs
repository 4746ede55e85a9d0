// Polygons of the sphere as polygons of the flat map: cut where they cross the antimeridian, closed around a pole.
//
// world-atlas stitches its outlines, so that Russia is one ring that jumps from 180 to -180 degrees.

/** The polygons of a Polygon or MultiPolygon, each a list of rings within -180 and 180 degrees. */
export function flat({ type, coordinates }) {
  const polygons = type === "Polygon" ? [coordinates] : coordinates;
  return polygons.flatMap((rings) => {
    const unrolled = rings.map(unroll);
    return [-360, 0, 360].map((shift) => unrolled.map((ring) => within(ring, shift))).flatMap(whole);
  });
}

/** A ring without jumps, which may leave the map on one side; over a pole where it goes once around the earth. */
function unroll(ring) {
  let turns = 0;
  const made = ring.map(([longitude, latitude], at) => {
    const step = at ? longitude - ring[at - 1][0] : 0;
    turns -= Math.abs(step) > 180 ? Math.sign(step) : 0;
    return [longitude + 360 * turns, latitude];
  });
  if (turns === 0) return made;
  const pole = Math.sign(made[0][1]) * 90;
  return [...made, [made.at(-1)[0], pole], [made[0][0], pole], made[0]];
}

/** What of a shifted ring lies between -180 and 180 degrees; an empty list when nothing does. */
function within(ring, shift) {
  const shifted = ring.map(([longitude, latitude]) => [longitude + shift, latitude]);
  const cut = clip(clip(shifted, -180, 1), 180, -1);
  return cut.length < 4 ? [] : cut;
}

/** Sutherland and Hodgman's clipping of a closed ring at a meridian: what lies east (`side` 1) or west (-1) of it. */
function clip(ring, meridian, side) {
  const isIn = ([longitude]) => (longitude - meridian) * side >= 0;
  const kept = [];
  for (let at = 1; at < ring.length; at++) {
    const [one, other] = [ring[at - 1], ring[at]];
    if (isIn(one) !== isIn(other)) kept.push(crossing(one, other, meridian));
    if (isIn(other)) kept.push(other);
  }
  return kept.length ? [...kept, kept[0]] : kept;
}

function crossing([x0, y0], [x1, y1], meridian) {
  return [meridian, y0 + ((meridian - x0) / (x1 - x0)) * (y1 - y0)];
}

/** The polygon as a list of one, less its lost holes; none when its outline is lost. */
function whole([outer, ...holes]) {
  return outer.length ? [[outer, ...holes.filter((hole) => hole.length)]] : [];
}
