// Runs the npm package web-push-testing on the port that is given.
const { PushApiModel } = require("web-push-testing/src/PushApiModel.js");
const TestingServer = require("web-push-testing/src/server.js");

new TestingServer(new PushApiModel(), Number(process.argv[2])).startServer();
