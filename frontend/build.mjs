// Builds what the browser gets into Django's static folder (never committed):
//   src/scripts/*.js, src/styles/*.css   our own entry points; subfolders hold what they import
//   icons.txt                            names of the Tabler icons in use -> one SVG sprite
//   node_modules                         htmx, Tabler and ECharts, copied as their makers built them
// Entry points may import from node_modules; esbuild bundles what they use.

import * as esbuild from "esbuild";
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const packages = join(here, "node_modules");
const target = join(here, "..", "src", "xiezhi", "foundation", "ui", "static", "ui", "dist");
const draft = join(packages, ".xiezhi-build");

const copies = {
  "htmx.js": "htmx.org/dist/htmx.min.js",
  "tabler.css": "@tabler/core/dist/css/tabler.min.css",
  "tabler.js": "@tabler/core/dist/js/tabler.min.js",
  "echarts.js": "echarts/dist/echarts.min.js",
};
const delivered = ["htmx.org", "@tabler/core", "@tabler/icons", "@popperjs/core", "echarts", "zrender", "tslib"];

/** Copy the libraries' own builds. Their source-map comments go: the maps are not shipped, and Django's manifest storage would look for them. */
async function copyLibraries() {
  for (const [name, source] of Object.entries(copies)) {
    const text = await readFile(join(packages, source), "utf8");
    await writeFile(join(draft, name), text.replace(/\n?(\/\/|\/\*)# sourceMappingURL=.*$/m, "") + "\n");
  }
}

/** Bundle and minify our own scripts and styles. */
async function buildOwn() {
  const entries = [];
  for (const folder of ["scripts", "styles"]) {
    const path = join(here, "src", folder);
    if (!existsSync(path)) continue;
    for (const name of await readdir(path)) {
      if ([".js", ".css"].includes(extname(name))) entries.push(join(path, name));
    }
  }
  const names = entries.map((path) => basename(path));
  const clash = names.find((name, i) => names.indexOf(name) !== i || name in copies);
  if (clash) throw new Error(`frontend/src: two files would both become ${clash}; rename one`);
  await esbuild.build({
    entryPoints: entries,
    outdir: draft,
    entryNames: "[name]",
    bundle: true,
    minify: true,
    charset: "utf8",
    format: "iife",
    target: ["es2020", "chrome87", "firefox78", "safari14"],
    legalComments: "inline",
    logLevel: "warning",
  });
}

/** One sprite of the icons named in icons.txt: `name` (outline) or `filled/name`; id "name" or "name-filled". */
async function buildIcons() {
  const lines = (await readFile(join(here, "icons.txt"), "utf8")).split("\n");
  const names = [...new Set(lines.map((line) => line.replace(/#.*/, "").trim()).filter(Boolean))].sort();
  const symbols = [];
  const unknown = [];
  for (const name of names) {
    const filled = name.startsWith("filled/");
    const file = join(packages, "@tabler", "icons", "icons", filled ? `${name}.svg` : `outline/${name}.svg`);
    if (!existsSync(file)) {
      unknown.push(name);
      continue;
    }
    const body = (await readFile(file, "utf8"))
      .replace(/^[\s\S]*?<svg[\s\S]*?>/, "")
      .replace(/<\/svg>\s*$/, "")
      .replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none" ?\/>/, "")
      .replace(/\s*\n\s*/g, "");
    const id = filled ? `${name.slice("filled/".length)}-filled` : name;
    const paint = filled
      ? 'fill="currentColor"'
      : 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"';
    symbols.push(`<symbol id="${id}" viewBox="0 0 24 24" ${paint}>${body}</symbol>`);
  }
  if (unknown.length) throw new Error(`frontend/icons.txt: Tabler has no icon ${unknown.join(", ")}`);
  await writeFile(
    join(draft, "icons.svg"),
    `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`,
  );
}

/** The licences of everything delivered, as their authors ask. */
async function collectLicences() {
  const parts = [];
  for (const name of delivered) {
    const folder = join(packages, name);
    const about = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile() && /^(licen[cs]e|notice)/i.test(entry.name))
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      .filter((file) => !file.slice(folder.length).includes("node_modules"))
      .sort();
    const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
    parts.push([`${name} ${about.version} (${about.license})`, ...texts].join("\n\n"));
  }
  await writeFile(join(draft, "LICENSES.txt"), parts.join(`\n\n${"-".repeat(79)}\n\n`));
}

await rm(draft, { recursive: true, force: true });
await mkdir(draft, { recursive: true });
try {
  await Promise.all([copyLibraries(), buildOwn(), buildIcons(), collectLicences()]);
  await rm(target, { recursive: true, force: true });
  await mkdir(dirname(target), { recursive: true });
  await rename(draft, target);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await rm(draft, { recursive: true, force: true });
}
