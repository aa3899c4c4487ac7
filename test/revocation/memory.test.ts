/** The contract of a store of revocations, over the one in memory. */
import { Revocation } from "effect-session"
import * as SessionStoreContract from "effect-session/SessionStoreContract"

SessionStoreContract.revocation("Revocations in memory", Revocation.layerMemory())
