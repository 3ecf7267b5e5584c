// Package reach calls other members: directly, or through others where only those can, and
// with what a caller's context is to carry along.
//
// [Ways] are one node's. One link that fails, while the members agree on who they are, must
// not make a second server of a key: the owner is alive, and takes writes that nobody else
// hears of. So whoever cannot reach it asks another member to pass the call on.
//
// What a Get carries to the owner of a key besides the key: the groups of which a loader
// that waits for it has a turn, and what Options.InjectContext made of its context. It
// travels as the number of the groups, their names with their lengths, and the rest; nothing
// at all if there is neither. In a Get it is the value, in operations on several keys the key.
//
// What holds: a call goes through another member only after the direct one failed without an
// answer, and only if carrying it out twice does no harm or it certainly was not sent.
//
// Caveats: that another member reaches the owner says nothing about this member's right to act.
package reach
