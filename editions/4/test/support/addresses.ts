import { NetAddress } from "effect/net"

/** Where a server may listen. */
export const tcpAddress = NetAddress.inetAddressFromIpStringUnsafe
export const unixAddress = NetAddress.unixPathAddress
