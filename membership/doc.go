// Package membership turns gossip into views, and does nothing else.
//
// A [Membership] is one member's part in the gossip of hashicorp/memberlist (SWIM with Lifeguard). It publishes a
// [View] whenever what this member believes about the others changes: who is there, who announced that it is
// leaving, and who went away since the previous view, on purpose or not.
//
// Caveats:
//   - Views are beliefs. Two members may hold different ones at the same moment, and epochs are counted by each
//     member for itself: never compare the epochs of two members.
//   - A member is identified by its name and its boot. A process that restarts is a new member, whatever its name.
//   - A member declared dead that was only slow or cut off comes back with the same boot and a new life: the others
//     see it in Gone, and in Members again only once it has been told and its own OnView has returned from a view
//     with Returned set. Until then it is hidden from their views.
//   - Gossip is lossy and unordered. Nothing but membership travels by it.
package membership
