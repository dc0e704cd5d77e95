// The contract as one HTML page that needs no network: AsyncAPI's own React component, rendered here, so that it reads
// without scripts too; the same component in the page folds schemas out.
//   node render.mjs ASYNCAPI_YAML OUT_HTML
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Parser, fromFile, stringify } from '@asyncapi/parser';

const require = createRequire(import.meta.url);
const React = require('react');
const { renderToString } = require('react-dom/server');
const { AsyncApiComponentWP } = require('@asyncapi/react-component');

const asset = (path) => readFile(new URL(`node_modules/@asyncapi/react-component/${path}`, import.meta.url), 'utf-8');
const inScript = (text) => text.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');

const [source, target] = process.argv.slice(2);
const { document, diagnostics } = await fromFile(new Parser(), source).parse();
if (!document) {
  console.error(`asyncapi: ${source} is invalid: ${diagnostics.map(({ message }) => message).join('; ')}`);
  process.exit(1);
}
const config = { show: { errors: false }, expand: { messageExamples: true } };
const body = renderToString(React.createElement(AsyncApiComponentWP, { schema: document, config }));
// A component that gives up renders an empty page without a word.
const missing = document.channels().all().map((channel) => channel.address()).filter((address) => !body.includes(address));
if (missing.length) {
  console.error(`asyncapi: the page lacks ${missing.join(', ')}`);
  process.exit(1);
}
await writeFile(
  target,
  `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${document.info().title()}</title><style>${await asset('styles/default.min.css')}</style></head>
<body>
<div id="contract">${body}</div>
<script>${inScript(await asset('browser/standalone/without-parser.js'))}</script>
<script>
AsyncApiStandalone.hydrate(
  { schema: ${inScript(stringify(document))}, config: ${JSON.stringify(config)} },
  document.getElementById('contract'),
);
</script>
</body>
</html>
`,
);
