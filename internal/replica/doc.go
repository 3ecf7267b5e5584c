// Package replica decides where the copies of written values are, so that what a write
// answered with nil survives the crash of all but one of those that have it. It has no
// clock, no network and no locks: whoever drives it passes in the time, carries what
// members say to each other, and serialises the calls.
//
// A [Core] is one member's part in one group. It is the owner of some keys and holds
// copies of others. A key stands for all keys of its hash: of two the later one takes the
// place of the other.
//
//   - Write. The owner sends what is written to the successors of the key, passing over
//     those that do not answer. It is shown, and counts, once as many members have it as
//     there shall be copies, or all that there are.
//   - Epoch. A holder counts its views, and tells each owner the number with its digest.
//     What is sent to it bears the number, and is refused once it has another view: so
//     nothing that an owner of former times sent is taken, however late it comes.
//   - Digest. An owner learns from everybody what they have of its keys. Until the last
//     digest is in, and nobody can act for its keys any more, it shows none that it gained.
//     The newest version is the value; of what too few have it makes copies before it
//     shows it.
//   - Note. Where copies are not as they should be, the owner has a note of the key: who
//     has the value, and who may have something else. A key without one has its copies at
//     its first successors, and nobody has anything older. Whoever a value is sent to is
//     noted before.
//   - Word. Copies that are not needed are dropped by the owner's word alone, when as many
//     others have the value as shall have it. A Delete is a value, a trace, that goes when
//     nobody is left who may have something older.
//
// What holds, while no more members are gone than copies less one since all values had
// their copies: of a version that was answered with nil, or shown, at least one member of
// every view has it or a newer one.
package replica
