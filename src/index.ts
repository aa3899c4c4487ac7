/**
 * @since 0.1.0
 */
export * as Csrf from "./Csrf.js"
export * as Flash from "./Flash.js"
export * as KeyRing from "./KeyRing.js"
export * as Migration from "./Migration.js"
export * as PrivateCookie from "./PrivateCookie.js"
export * as RequestContext from "./RequestContext.js"
export * as RequestContextApi from "./RequestContextApi.js"
export * as RequestId from "./RequestId.js"
export * as Session from "./Session.js"
export * as SessionBackend from "./SessionBackend.js"
export * as SessionConfig from "./SessionConfig.js"
export * as SessionError from "./SessionError.js"
export * as SessionKey from "./SessionKey.js"
export * as Sessions from "./Sessions.js"
export * as SessionStore from "./SessionStore.js"
export * as Subject from "./Subject.js"
