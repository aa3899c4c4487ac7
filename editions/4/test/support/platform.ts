/** What the tests that are the same in both editions import under the names of Effect 3's platform. */
export * as HttpRouter from "./httpRouter.js"
