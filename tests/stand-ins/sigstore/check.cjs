// Checks signed statements with Sigstore's own JavaScript libraries, offline: check.cjs PUBLIC-KEY BUNDLE...
const fs = require('fs');
const crypto = require('crypto');
const { bundleFromJSON } = require('@sigstore/bundle');
const { Verifier, toSignedEntity } = require('@sigstore/verify');

const [pem, ...paths] = process.argv.slice(2);
const publicKey = crypto.createPublicKey(fs.readFileSync(pem));
const trust = (key) => ({
  certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [],
  publicKey: () => ({ publicKey: key, validFor: () => true }),
});
const options = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 };
const verify = (json, key) => new Verifier(trust(key), options).verify(toSignedEntity(bundleFromJSON(json)));
const refuses = (json, key) => {
  try { verify(json, key); } catch { return true; }
  return false;
};
for (const path of paths) {
  const json = JSON.parse(fs.readFileSync(path, 'utf8'));
  verify(json, publicKey);
  // The checker refuses what was changed and what another key signed, so its "yes" means something.
  const changed = structuredClone(json);
  changed.dsseEnvelope.payload = Buffer.from(Buffer.from(json.dsseEnvelope.payload, 'base64') + ' ').toString('base64');
  const stranger = crypto.generateKeyPairSync(publicKey.asymmetricKeyType, { namedCurve: 'P-256' }).publicKey;
  if (!refuses(changed, publicKey) || !refuses(json, stranger)) throw new Error(`${path}: a change is not refused`);
  console.log(`verified ${path.split('/').pop()}`);
}
