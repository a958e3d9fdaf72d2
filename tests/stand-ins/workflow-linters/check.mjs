// GitHub's own parser over workflows and actions, local actions and workflows resolved. usage: node check.mjs ROOT FILE...
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { validate } from '@actions/languageservice';

const [root, ...files] = process.argv.slice(2);
// The folder the action is checked out into when a workflow runs is this repository.
const local = (name) => path.join(root, name.replace(/^\.orch-action/, '.').replace(/^\.\//, ''));
const fileProvider = { getFileContent: async (ref) => ({ name: ref.path, content: fs.readFileSync(local(ref.path), 'utf8') }) };
let found = 0;
for (const file of files) {
  const text = fs.readFileSync(path.join(root, file), 'utf8');
  const lines = text.split('\n');
  const document = {
    uri: pathToFileURL(path.join(root, file)).href, languageId: 'yaml', version: 1, lineCount: lines.length, getText: () => text,
    positionAt: (offset) => { const head = text.slice(0, offset).split('\n'); return { line: head.length - 1, character: head.at(-1).length }; },
    offsetAt: (place) => lines.slice(0, place.line).reduce((sum, line) => sum + line.length + 1, 0) + place.character,
  };
  for (const one of await validate(document, { fileProvider })) {
    console.log(`${file}:${one.range.start.line + 1}: ${one.message}`);
    found += 1;
  }
}
process.exit(found === 0 ? 0 : 1);
