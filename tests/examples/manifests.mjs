// Says what the External Secrets Operator's schemas have against a file of manifests (JSON). Prints the complaints, as JSON.
import { readFileSync } from "node:fs";
import * as models from "@kubernetes-models/external-secrets/external-secrets.io/v1";

const complaints = [];
for (const manifest of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  if (manifest.apiVersion !== "external-secrets.io/v1") continue;
  try {
    new models[manifest.kind](manifest).validate();
  } catch (error) {
    complaints.push(error.message);
  }
}
console.log(JSON.stringify(complaints));
