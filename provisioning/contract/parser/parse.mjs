// What AsyncAPI's own parser says of each file named: one JSON object a line.
import { Parser, fromFile } from '@asyncapi/parser';

const parser = new Parser();
for (const file of process.argv.slice(2)) {
  const { document, diagnostics } = await fromFile(parser, file).parse();
  console.log(
    JSON.stringify({
      version: document?.version() ?? null,
      channels: document?.channels().all().map((channel) => channel.address()) ?? [],
      diagnostics: diagnostics.map(({ severity, code, message, path }) => ({ severity, code, message, path })),
    }),
  );
}
