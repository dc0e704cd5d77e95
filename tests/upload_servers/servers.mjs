// Starts both servers on loopback, over TLS: node servers.mjs CERT KEY FOLDER; says their ports as one line of JSON.
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { createRequire } from 'node:module';
import { Server } from '@tus/server';
import { FileStore } from '@tus/file-store';

const S3rver = createRequire(import.meta.url)('s3rver');
const [cert, key, folder] = process.argv.slice(2);
const tls = { cert: readFileSync(cert), key: readFileSync(key) };

const tus = new Server({
  path: '/files',
  relativeLocation: true,
  datastore: new FileStore({ directory: `${folder}/tus` }),
});
const site = https.createServer(tls, (request, response) => tus.handle(request, response));
await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));

const s3 = new S3rver({
  address: '127.0.0.1',
  port: 0,
  silent: true,
  directory: `${folder}/s3`,
  configureBuckets: [{ name: 'evidence' }],
  ...tls,
});
const where = await s3.run();
console.log(JSON.stringify({ tus: site.address().port, s3: where.port }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0)); // whoever started us is gone
