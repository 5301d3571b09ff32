// Sends what stdin says with @parse/node-apn and prints what it makes of the answers, as JSON.
"use strict";
const apn = require("@parse/node-apn");

const job = JSON.parse(require("fs").readFileSync(0, "utf8"));
const provider = new apn.Provider({
  token: { key: job.key, keyId: job.keyId, teamId: job.teamId },
  production: true,
  address: "localhost",
  port: job.port,
  requestTimeout: 5000,
});

(async () => {
  const results = [];
  for (const push of job.pushes) {
    const notification = new apn.Notification();
    Object.assign(notification, push.fields);
    const { sent, failed } = await provider.send(notification, push.tokens);
    results.push({
      sent: sent.map((item) => item.device),
      failed: failed.map((item) => ({
        device: item.device,
        status: item.status,
        response: item.response,
        error: item.error && String(item.error.message || item.error),
      })),
    });
  }
  process.stdout.write(JSON.stringify(results));
  provider.shutdown();
})();
