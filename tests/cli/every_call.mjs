// What an application in JavaScript does with its secrets, against `rotators lab`. Prints what it saw, as JSON.
import {
  BatchGetSecretValueCommand,
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  paginateListSecrets,
} from "@aws-sdk/client-secrets-manager";

const client = new SecretsManagerClient({});
const send = (Command, input) => client.send(new Command(input));
const refused = async (Command, input) => {
  try {
    await send(Command, input);
    return "nothing";
  } catch (error) {
    return `${error.name} ${error.$metadata.httpStatusCode}`;
  }
};

const saw = {};
const made = await send(CreateSecretCommand, { Name: "node/a", SecretString: "first", Tags: [{ Key: "team", Value: "shop" }] });
await send(CreateSecretCommand, { Name: "node/b", SecretBinary: new Uint8Array([0, 255, 7]) });
saw.text = (await send(GetSecretValueCommand, { SecretId: "node/a" })).SecretString;
saw.bytes = [...(await send(GetSecretValueCommand, { SecretId: "node/b" })).SecretBinary];
await send(PutSecretValueCommand, { SecretId: made.ARN, SecretString: "second" });
saw.previous = (await send(GetSecretValueCommand, { SecretId: "node/a", VersionStage: "AWSPREVIOUS" })).SecretString;
saw.versions = (await send(ListSecretVersionIdsCommand, { SecretId: "node/a" })).Versions.length;

const before = await send(GetSecretValueCommand, { SecretId: "shop/app" });
const { VersionId } = await send(RotateSecretCommand, { SecretId: "shop/app" });
let described;
do {
  await new Promise((resolve) => setTimeout(resolve, 100));
  described = await send(DescribeSecretCommand, { SecretId: "shop/app" });
} while (!described.LastRotatedDate);
const after = await send(GetSecretValueCommand, { SecretId: "shop/app" });
saw.rotated = after.VersionId === VersionId && after.SecretString !== before.SecretString;
saw.labels = described.VersionIdsToStages[VersionId];
saw.enabled = described.RotationEnabled;
saw.date = described.LastRotatedDate instanceof Date;

const batch = await send(BatchGetSecretValueCommand, { SecretIdList: ["node/a", "node/none"] });
saw.batch = [batch.SecretValues.map((value) => value.SecretString), batch.Errors.map((error) => error.ErrorCode)];

saw.pages = [];
for await (const page of paginateListSecrets({ client, pageSize: 1 }, { Filters: [{ Key: "name", Values: ["node/"] }] })) {
  saw.pages.push(page.SecretList.map((secret) => secret.Name));
}

saw.refused = [
  await refused(GetSecretValueCommand, { SecretId: "node/none" }),
  await refused(GetSecretValueCommand, { SecretId: "node/a", VersionStage: "AWSPENDING" }),
  await refused(CreateSecretCommand, { Name: "node/a", SecretString: "x" }),
  await refused(RotateSecretCommand, { SecretId: "node/a" }),
  await refused(DeleteSecretCommand, { SecretId: "node/a", RecoveryWindowInDays: 3 }),
  await refused(CreateSecretCommand, { Name: "" }),
];
await send(DeleteSecretCommand, { SecretId: "node/a" });
saw.refused.push(await refused(GetSecretValueCommand, { SecretId: "node/a" }));
console.log(JSON.stringify(saw));
