"""What Redis does in one step."""

from __future__ import annotations

from typing import Final

__all__ = ["CHANGE", "EXPIRE"]

CHANGE: Final = """
local same, found = 1, {}
for at = 1, #ARGV, 3 do
  local expected, score = ARGV[at + 1], redis.call('ZSCORE', KEYS[1], ARGV[at])
  found[#found + 1] = score or ''
  if expected == '' then
    if score then same = 0 end
  elseif expected ~= '*' then
    if not score or tonumber(score) ~= tonumber(expected) then same = 0 end
  end
end
if same == 1 then
  for at = 1, #ARGV, 3 do
    local wanted = ARGV[at + 2]
    if wanted == '' then
      redis.call('ZREM', KEYS[1], ARGV[at])
    elseif wanted ~= '=' then
      redis.call('ZADD', KEYS[1], wanted, ARGV[at])
    end
  end
end
table.insert(found, 1, same)
return found
"""
"""Changes members of a sorted set if all of them are as expected. Takes triples: the member; the score that it must
have, nothing for none, ``*`` for any; the new one, nothing for none, ``=`` for the same. Returns whether it was so, and
what was found."""

EXPIRE: Final = """
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, member in ipairs(gone) do redis.call('ZREM', KEYS[1], member) end
return #gone
"""
"""Removes members up to a score, the lowest first, and not more than so many. Returns how many."""
