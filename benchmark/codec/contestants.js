/**
 * The contestants that seal and open a session: each turns an object into a text that fits a cookie, and back. A contestant
 * whose API takes and returns text also has `text`, so that it can be measured without JSON.
 */
import fastifySecureSession from "@fastify/secure-session"
import Iron from "@hapi/iron"
import { Effect, Option } from "effect"
import fastify from "fastify"
import { sealData, unsealData } from "iron-session"
import { compactDecrypt, CompactEncrypt } from "jose"
import { createCipheriv, createDecipheriv, randomBytes, webcrypto } from "node:crypto"
import * as library from "../harness/library.js"

const name = "session"
const additionalData = Buffer.from(name)

const viaJson = (contestant) => ({
  ...contestant,
  seal: contestant.asynchronous
    ? async (session) => contestant.text.seal(JSON.stringify(session))
    : (session) => contestant.text.seal(JSON.stringify(session)),
  open: contestant.asynchronous
    ? async (sealed) => JSON.parse(await contestant.text.open(sealed))
    : (sealed) => JSON.parse(contestant.text.open(sealed))
})

/** What a careful developer writes in ten minutes: a random nonce, the name bound, the tag checked at its full length. */
const straightforward = () => {
  const key = randomBytes(32)
  const seal = (text) => {
    const nonce = randomBytes(12)
    const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: 16 })
    cipher.setAAD(additionalData)
    return Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]).toString("base64")
  }
  const open = (sealed) => {
    const bytes = Buffer.from(sealed, "base64")
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12), { authTagLength: 16 })
    decipher.setAAD(additionalData)
    decipher.setAuthTag(bytes.subarray(bytes.length - 16))
    return decipher.update(bytes.subarray(12, bytes.length - 16), undefined, "utf8") + decipher.final("utf8")
  }
  return viaJson({ id: "straightforward", label: "straightforward node:crypto", packages: [], text: { seal, open } })
}

const ours = async () => {
  const { KeyRing, PrivateCookie } = await library.main()
  const ring = Effect.runSync(KeyRing.generate)
  const seal = (text) => PrivateCookie.unsafeSeal(ring, name, text)
  const open = (sealed) => Option.getOrThrow(PrivateCookie.open(ring, name, sealed))
  return viaJson({ id: "ours", label: "effect-session PrivateCookie", packages: [], ours: true, text: { seal, open } })
}

const secureSession = async () => {
  const app = fastify()
  app.register(fastifySecureSession, { key: randomBytes(32), cookieName: name, cookie: { path: "/" } })
  await app.ready()
  return {
    id: "secureSession",
    label: "@fastify/secure-session (libsodium)",
    packages: ["@fastify/secure-session"],
    // A copy, because it writes its time stamp `__ts` into the object that it is given.
    seal: (session) => app.encodeSecureSession(app.createSecureSession({ ...session })),
    open: (sealed) => app.decodeSecureSession(sealed)?.data()
  }
}

const webCrypto = async () => {
  const { subtle } = webcrypto
  const key = await subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"])
  const seal = async (text) => {
    const nonce = webcrypto.getRandomValues(Buffer.alloc(12))
    const body = await subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData }, key, Buffer.from(text))
    return Buffer.concat([nonce, Buffer.from(body)]).toString("base64")
  }
  const open = async (sealed) => {
    const bytes = Buffer.from(sealed, "base64")
    const parameters = { name: "AES-GCM", iv: bytes.subarray(0, 12), additionalData }
    return Buffer.from(await subtle.decrypt(parameters, key, bytes.subarray(12))).toString("utf8")
  }
  return viaJson({ id: "webCrypto", label: "WebCrypto", packages: [], asynchronous: true, text: { seal, open } })
}

const jose = () => {
  const key = randomBytes(32)
  const seal = (text) =>
    new CompactEncrypt(Buffer.from(text)).setProtectedHeader({ alg: "dir", enc: "A256GCM" }).encrypt(key)
  const open = async (sealed) => Buffer.from((await compactDecrypt(sealed, key)).plaintext).toString("utf8")
  return viaJson({ id: "jose", label: "jose A256GCM", packages: ["jose"], asynchronous: true, text: { seal, open } })
}

const hapiIron = () => {
  const password = randomBytes(32).toString("hex")
  return {
    id: "hapiIron",
    label: "@hapi/iron",
    packages: ["@hapi/iron"],
    asynchronous: true,
    seal: (session) => Iron.seal(session, password, Iron.defaults),
    open: (sealed) => Iron.unseal(sealed, password, Iron.defaults)
  }
}

const ironSession = () => {
  const password = randomBytes(32).toString("hex")
  return {
    id: "ironSession",
    label: "iron-session",
    packages: ["iron-session"],
    asynchronous: true,
    seal: (session) => sealData(session, { password }),
    open: (sealed) => unsealData(sealed, { password })
  }
}

export const contestants = async () =>
  await Promise.all([ours(), straightforward(), secureSession(), webCrypto(), jose(), hapiIron(), ironSession()])
