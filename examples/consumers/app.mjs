// An HTTP server that asks PostgreSQL for each request, with a secret that is rotated: the AWS SDK and pg alone.
//
//   npm install @aws-sdk/client-secrets-manager pg
//   SECRET_ID=shop/app node app.mjs        prints its port; the CA of the database in NODE_EXTRA_CA_CERTS
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import pg from "pg";

// One secret's AWSCURRENT, kept for five minutes. One read at a time, whoever waits for it.
class CachedSecret {
  #client = new SecretsManagerClient({});
  #id;
  #keep;
  #version;
  #readAt = -Infinity;
  #reading;

  constructor(id, { keep = 300_000 } = {}) {
    this.#id = id;
    this.#keep = keep;
  }

  async get() {
    if (performance.now() - this.#readAt > this.#keep) await this.#read();
    return this.#version;
  }

  // The version to try now that one was refused. With one user, the label moves some seconds after the password has changed.
  async otherThan(refused, { patience = 5_000, every = 250 } = {}) {
    for (const end = performance.now() + patience; performance.now() < end; await sleep(every / 4)) {
      if (this.#version.id === refused.id && performance.now() - this.#readAt >= every) await this.#read();
      if (this.#version.id !== refused.id) return this.#version;
    }
    return undefined;
  }

  #read() {
    this.#reading ??= this.#client
      .send(new GetSecretValueCommand({ SecretId: this.#id }))
      .then((answer) => {
        this.#version = { id: answer.VersionId, value: JSON.parse(answer.SecretString) };
        this.#readAt = performance.now();
      })
      .finally(() => (this.#reading = undefined));
    return this.#reading;
  }
}

async function logIn({ value }) {
  const client = new pg.Client({
    host: value.host,
    port: value.port,
    database: value.dbname,
    user: value.username,
    password: value.password,
    ssl: value.ssl !== false, // verified against Node's authorities
    connectionTimeoutMillis: 5_000,
  });
  await client.connect();
  return client;
}

async function connect(secret) {
  const version = await secret.get();
  try {
    return await logIn(version);
  } catch (error) {
    const following = error.code === "28P01" ? await secret.otherThan(version) : undefined; // invalid_password
    if (!following) throw error;
    return logIn(following);
  }
}

const secret = new CachedSecret(process.env.SECRET_ID);
const server = createServer(async (_, response) => {
  try {
    const client = await connect(secret);
    const { rows } = await client.query("SELECT current_user AS name").finally(() => client.end());
    response.end(rows[0].name);
  } catch (error) {
    response.writeHead(500).end(error.message);
  }
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.on("SIGTERM", () => server.close());
