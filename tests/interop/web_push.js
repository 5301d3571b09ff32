// Sends with the npm package web-push. Reads {pushes: [{subscription, payload, options}], vapid} from stdin,
// prints [{status, body} ...].
const webpush = require("web-push");

const chunks = [];
process.stdin.on("data", (chunk) => chunks.push(chunk));
process.stdin.on("end", async () => {
  const { pushes, vapid } = JSON.parse(Buffer.concat(chunks).toString());
  const answers = [];
  for (const { subscription, payload, options } of pushes) {
    try {
      const { statusCode, body } = await webpush.sendNotification(subscription, payload, { vapidDetails: vapid, ...options });
      answers.push({ status: statusCode, body });
    } catch (error) {
      answers.push({ status: error.statusCode ?? null, body: error.body ?? String(error) });
    }
  }
  console.log(JSON.stringify(answers));
});
