// Builds the basemap and the list of places: `node build.mjs FOLDER TIPPECANOE`.
//
// FOLDER then holds world.pmtiles (layers land, borders, countries, towns) and places.tsv. Both are made beside and
// moved there, so that nobody ever reads half of one.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { layers, placeRows, write } from "./extract.mjs";
import { TILES_ZOOM } from "./towns.mjs";

const [target, tippecanoe] = process.argv.slice(2);
const folder = resolve(target);
mkdirSync(folder, { recursive: true });
const scratch = mkdtempSync(join(folder, ".building-"));
try {
  await write(join(scratch, "places.tsv"), placeRows());
  const sources = [];
  for (const [name, features] of Object.entries(layers())) {
    await write(join(scratch, name), features.map((each) => JSON.stringify(each)));
    sources.push(`--named-layer=${name}:${join(scratch, name)}`);
  }
  tile(sources);
  for (const made of ["places.tsv", "world.pmtiles"]) renameSync(join(scratch, made), join(folder, made));
} finally {
  rmSync(scratch, { recursive: true });
}

function tile(sources) {
  const options = [
    "--quiet",
    "--read-parallel",
    `--temporary-directory=${scratch}`,
    `--output=${join(scratch, "world.pmtiles")}`,
    `--maximum-zoom=${TILES_ZOOM}`,
    "--simplification=4",
    // Every label says itself from which zoom on it is there: none is dropped for being one of many.
    "--drop-rate=1",
    "--no-feature-limit",
    "--no-tile-size-limit",
    // The archive would hold this command and the folder it ran in.
    "--name=Bubbles",
    "--description=Natural Earth, GeoNames",
  ];
  const made = spawnSync(tippecanoe, [...options, ...sources], { stdio: ["ignore", "inherit", "inherit"] });
  if (made.status !== 0) throw new Error(`tippecanoe ended with ${made.status ?? made.error}`);
}
