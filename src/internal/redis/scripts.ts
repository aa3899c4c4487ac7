/**
 * The atomic steps as Lua scripts. Every script touches one key, so that it runs on Redis Cluster. Every reply is a text or a
 * list of texts, because a client may be set to turn integers into something else.
 *
 * A session is a hash with these fields:
 *
 * - `s` is the state: `1 <version> <bytes> <expiresAt> <createdAt> <refreshedAt> <idleMillis> <persistent><own>`. The first
 *   number is the format, and the two flags are 0 or 1. `bytes` is the size of the data, so that an update need not read the
 *   values that it leaves alone.
 * - `o` and `a` are the owner: the subject as JSON text, and `[authenticatedAt, userAgent, address]` as JSON.
 * - `d:<key>` is a value. With the prefix, the keys of an app share no names with the fields above.
 *
 * The state `2 <successor> <renewedAt> <expiresAt>` is the mark of a renewal. A version that does not know it takes it for a
 * record of a newer format, and leaves it alone. What it says is answered as `N <successor> <renewedAt>`.
 *
 * The state `0` is a tombstone: the session was evicted before its insert arrived, see `evict`.
 *
 * Numbers travel as text and are only compared in Lua, which prints doubles with 14 digits; a time has 13 already. Lua's
 * `unpack` overflows its stack at some 8,000 values. Therefore the scripts work in steps of 1,000.
 *
 * Everything that is not a field or a value comes as one argument, separated by spaces, with `-` where there is nothing. An
 * argument for each would cost the client more than its other work on the command.
 */
import { createHash } from "node:crypto"

export interface Script {
  readonly source: string
  /** the SHA-1 of the source, by which EVALSHA names the script */
  readonly sha: string
}

const script = (source: string): Script => ({ source, sha: createHash("sha1").update(source).digest("hex") })

/**
 * `now ttl`, field, value, … → `I` inserted; `T` taken; `E` evicted before it arrived.
 *
 * A record that cannot be read counts as taken, because an insert must not overwrite.
 */
export const insert = script(`
local key = KEYS[1]
local now, ttl = string.match(ARGV[1], '^(%S+) (%S+)$')
if redis.call('EXISTS', key) == 1 then
  local s = redis.pcall('HGET', key, 's')
  if type(s) ~= 'string' then return 'T' end
  if s == '0' then return 'E' end
  local e = tonumber(string.match(s, '^1 %d+ %d+ ([-+.%de]+) ') or string.match(s, '^2 %S+ %S+ (%S+)$') or '')
  if not e or e > tonumber(now) then return 'T' end
  redis.call('DEL', key)
end
for i = 2, #ARGV, 1000 do
  redis.call('HSET', key, unpack(ARGV, i, math.min(i + 999, #ARGV)))
end
redis.call('PEXPIRE', key, ttl)
return 'I'
`)

/**
 * `now ifVersion maxBytes clear ttl times`, number of fields to remove, field, …, field, value, …
 *
 * → `M` missing; `N …` renewed; `C` conflict; `T <size>` too large; `U <version> <times>` updated. When new times were given,
 * the reply is `U <version>`, or `O <version> <subject>` for a session with an owner.
 *
 * A record that cannot be read counts as missing: an update never creates and never repairs.
 */
export const update = script(`
local key, n = KEYS[1], #ARGV
local now, only, most, clear, ttl, times = string.match(ARGV[1], '^(%S+) (%S+) (%S+) (%S+) (%S+) (.+)$')
clear = clear == '1'
local moves = times ~= '-'
local set = 3 + ARGV[2]
local want, own = {'s'}, 1
if clear or moves then
  want, own = {'s', 'o', 'a'}, 3
end
if not clear then
  for i = 3, set - 1 do want[#want + 1] = ARGV[i] end
  for i = set, n, 2 do want[#want + 1] = ARGV[i] end
end
local s, o, a
local size = 0
for i = 1, #want, 1000 do
  local got = redis.pcall('HMGET', key, unpack(want, i, math.min(i + 999, #want)))
  if got.err then
    if string.find(got.err, 'WRONGTYPE', 1, true) then return 'M' end
    return got
  end
  local first = 1
  if i == 1 then
    s = got[1]
    if not s then return 'M' end
    if own == 3 then o, a = got[2], got[3] end
    first = own + 1
  end
  for j = first, #got do
    if got[j] then size = size - #want[i + j - 1] + 2 - #got[j] end
  end
end
local successor, since, till = string.match(s, '^2 (%S+) (%S+) (%S+)$')
if successor then
  if tonumber(till) <= tonumber(now) then return 'M' end
  return 'N ' .. successor .. ' ' .. since
end
local v, b, e, rest =
  string.match(s, '^1 ([1-9]%d*) (%d+) ([-+.%de]+) ([-+.%de]+ [-+.%de]+ [-+.%de]+ [01][01])$')
local ends = tonumber(e or '')
if not ends or ends <= tonumber(now) then return 'M' end
if only ~= '-' and only ~= v then return 'C' end
if not clear then size = size + b end
for i = set, n, 2 do
  size = size + #ARGV[i] - 2 + #ARGV[i + 1]
end
-- b is the size before the update: only an update that makes the record larger can be refused as too large.
if size > tonumber(most) and size > tonumber(b) then return string.format('T %.0f', size) end
if not moves then times = e .. ' ' .. rest end
local version = string.format('%.0f', v + 1)
s = '1 ' .. version .. ' ' .. string.format('%.0f ', math.max(size, 0)) .. times
if clear then
  if not moves then ttl = redis.call('PTTL', key) end
  redis.call('DEL', key)
  if o then redis.call('HSET', key, 'o', o) end
  if a then redis.call('HSET', key, 'a', a) end
else
  for i = 3, set - 1, 1000 do
    redis.call('HDEL', key, unpack(ARGV, i, math.min(i + 999, set - 1)))
  end
end
if n - set < 1000 then
  redis.call('HSET', key, 's', s, unpack(ARGV, set, n))
else
  redis.call('HSET', key, 's', s)
  for i = set, n, 1000 do
    redis.call('HSET', key, unpack(ARGV, i, math.min(i + 999, n)))
  end
end
if ttl ~= '-' and tonumber(ttl) > 0 then redis.call('PEXPIRE', key, ttl) end
if not moves then return 'U ' .. version .. ' ' .. times end
if o then return 'O ' .. version .. ' ' .. o end
return 'U ' .. version
`)

/**
 * `now ifVersion`, and for a mark its state and ttl → `R` removed; `C` conflict; `M` missing; `N …` renewed.
 *
 * A record that cannot be read is removed, unless a version was asked for, because it has none.
 */
export const remove = script(`
local key = KEYS[1]
local now, only = string.match(ARGV[1], '^(%S+) (%S+)$')
local s = redis.pcall('HGET', key, 's')
if type(s) == 'table' and not string.find(s.err, 'WRONGTYPE', 1, true) then return s end
if not s and redis.call('EXISTS', key) == 0 then return 'M' end
if s == '0' then return 'M' end
local v, e, successor, since
if type(s) == 'string' then
  v, e = string.match(s, '^1 (%d+) %d+ ([-+.%de]+) ')
  if not v then successor, since, e = string.match(s, '^2 (%S+) (%S+) (%S+)$') end
end
e = tonumber(e or '')
if e and e <= tonumber(now) then
  redis.call('DEL', key)
  return 'M'
end
if successor then return 'N ' .. successor .. ' ' .. since end
if only ~= '-' and not (e and only == v) then return 'C' end
redis.call('DEL', key)
if ARGV[2] then
  redis.call('HSET', key, 's', ARGV[2])
  redis.call('PEXPIRE', key, ARGV[3])
end
return 'R'
`)

/**
 * subject, ttl → `R` removed; `M` there was no record of the subject. With a ttl, a tombstone is left where the record is
 * missing: its insert is still in progress, and it must not arrive after the place that it claimed was given to another.
 */
export const evict = script(`
local key = KEYS[1]
if redis.call('EXISTS', key) == 0 then
  if ARGV[2] ~= '-' then
    redis.call('HSET', key, 's', '0')
    redis.call('PEXPIRE', key, ARGV[2])
  end
  return 'M'
end
local o = redis.pcall('HGET', key, 'o')
if type(o) == 'table' and not string.find(o.err, 'WRONGTYPE', 1, true) then return o end
if o ~= ARGV[1] then return 'M' end
redis.call('DEL', key)
return 'R'
`)

/**
 * ttl → `A` there is a record; `B` there was none, and now there is a tombstone, so that an insert that was given up never
 * arrives.
 */
export const bury = script(`
local key = KEYS[1]
if redis.call('EXISTS', key) == 1 then return 'A' end
redis.call('HSET', key, 's', '0')
redis.call('PEXPIRE', key, ARGV[1])
return 'B'
`)

/**
 * The index of a subject is a hash with an entry for each session, named by its id. The entry is `<createdAt> <claimedAt>`
 * while the insert is in progress, and `<createdAt> -` afterwards. ` x` at its end says that the session is condemned: its
 * record has to be removed before another one is inserted, if necessary by whoever claims a place next. A condemned entry stays
 * until its record is gone, so that no crash leaves a record that the index does not know.
 *
 * now, id, createdAt, ttl, max, `evict` or `refuse`, verified (0 or 1), id of a dead entry, … →
 *
 * - `C, id, claimedAt, …`: a place is claimed, and these entries are condemned.
 * - `V, id, claimedAt, …`: the index is full. Find out which of these entries are dead, and claim again with `verified` 1.
 * - `F`: the index is full, and no place is claimed.
 * - `S, id, claimedAt, …`: a place is claimed without a bound. These entries are a sample in which to look for dead ones, so
 *   that an index without a bound does not grow for ever.
 */
export const claim = script(`
local key, id, max = KEYS[1], ARGV[2], tonumber(ARGV[5])
for i = 8, #ARGV do redis.call('HDEL', key, ARGV[i]) end
local reply = {'C'}
local function tell(entry, value)
  reply[#reply + 1] = entry
  reply[#reply + 1] = string.match(value, '^%S+ (%S+)') or '-'
end
if max then
  if max < 1 then return {'F'} end
  local all, living = redis.call('HGETALL', key), {}
  for i = 1, #all, 2 do
    if all[i] ~= id then
      if string.sub(all[i + 1], -2) == ' x' then
        tell(all[i], all[i + 1])
      else
        local created, claimed = string.match(all[i + 1], '^(%S+) (%S+)')
        living[#living + 1] = {all[i], all[i + 1], tonumber(created or '') or 0, tonumber(claimed or '') or 0}
      end
    end
  end
  local excess = #living - max + 1
  if excess > 0 then
    if ARGV[7] ~= '1' then
      reply = {'V'}
      for i = 1, #living do tell(living[i][1], living[i][2]) end
      return reply
    end
    if ARGV[6] ~= 'evict' then return {'F'} end
    table.sort(living, function(x, y)
      if x[3] ~= y[3] then return x[3] < y[3] end
      if x[4] ~= y[4] then return x[4] < y[4] end
      return x[1] < y[1]
    end)
    for i = 1, excess do
      redis.call('HSET', key, living[i][1], living[i][2] .. ' x')
      tell(living[i][1], living[i][2])
    end
  end
elseif redis.call('HLEN', key) >= 16 then
  local some = redis.pcall('HRANDFIELD', key, 8, 'WITHVALUES')
  if not some.err then
    reply = {'S'}
    for i = 1, #some, 2 do tell(some[i], some[i + 1]) end
  end
end
redis.call('HSETNX', key, id, ARGV[3] .. ' ' .. ARGV[1])
if redis.call('PTTL', key) < tonumber(ARGV[4]) then redis.call('PEXPIRE', key, ARGV[4]) end
return reply
`)

/**
 * id, createdAt, ttl or `-`, id to forget, … → `U`. The insert is over, so that from now on the entry is dead when its record is
 * missing. With a ttl the record was inserted: its entry is written again in case that a process whose clock is ahead has taken
 * the insert for given up and removed it.
 */
export const settle = script(`
local key = KEYS[1]
local value = redis.call('HGET', key, ARGV[1])
if value then
  redis.call('HSET', key, ARGV[1], (string.gsub(value, '^(%S+) %S+', '%1 -')))
elseif ARGV[3] ~= '-' then
  redis.call('HSET', key, ARGV[1], ARGV[2] .. ' -')
end
if ARGV[3] ~= '-' and redis.call('PTTL', key) < tonumber(ARGV[3]) then redis.call('PEXPIRE', key, ARGV[3]) end
for i = 4, #ARGV do redis.call('HDEL', key, ARGV[i]) end
return 'U'
`)

/**
 * id, createdAt, ttl → `U`. The session lives longer, and so must its entry. An entry that was lost is written again.
 */
export const keep = script(`
local key = KEYS[1]
redis.call('HSETNX', key, ARGV[1], ARGV[2] .. ' -')
if redis.call('PTTL', key) < tonumber(ARGV[3]) then redis.call('PEXPIRE', key, ARGV[3]) end
return 'U'
`)

/**
 * The scripts of `revocation.ts`, whose keys hold a text: `<at> <expiresAt> <survivor>`, with `-` where nobody survives.
 *
 * `now ttl`, the text → `D` denied, or the text that was there already. One that cannot be read counts as there.
 */
export const deny = script(`
local now, ttl = string.match(ARGV[1], '^(%S+) (%S+)$')
local old = redis.call('GET', KEYS[1])
if old then
  local e = tonumber(string.match(old, '^%S+ (%S+) ') or '')
  if not e or e > tonumber(now) then return old end
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ttl)
return 'D'
`)

/** `now at expiresAt ttl survivor` → `D`. What is there already and has not expired makes it later, and keeps it longer. */
export const denyOlder = script(`
local now, at, e, ttl, survivor = string.match(ARGV[1], '^(%S+) (%S+) (%S+) (%S+) (%S+)$')
local old = redis.call('GET', KEYS[1])
if old then
  local a, till = string.match(old, '^(%S+) (%S+) ')
  if tonumber(till or '') and tonumber(till) > tonumber(now) then
    if tonumber(a) >= tonumber(at) then at = string.format('%.0f', a + 1) end
    if tonumber(till) > tonumber(e) then
      e = till
      ttl = string.format('%.0f', math.max(tonumber(ttl), redis.call('PTTL', KEYS[1])))
    end
  end
end
redis.call('SET', KEYS[1], at .. ' ' .. e .. ' ' .. survivor, 'PX', ttl)
return 'D'
`)
