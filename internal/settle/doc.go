// Package settle turns the views of the membership into a member's own, and decides until
// when it may act by them. It drives package quorum, which has the rules, with the clock, the
// network and what the member holds.
//
// Settling is the fence between old owners and new ones, and the answer to who
// may go on at all. A member that adopts a view stops at once to serve what it
// lost, and asks every other member whether it adopted the same view, and then
// for its vote. Until all have voted, it stores nothing of what it gained.
//
//  1. A joins. B and C adopt {A,B,C}: what A gains they drop, and hot copies that
//     came from a member that is not the owner any more.
//  2. A asks B and C. C has not heard of A yet: it answers that it holds another
//     view. A answers Gets by loading without storing, and lets writes wait.
//  3. C adopts {A,B,C} and asks. All vote: nobody will serve A's keys by an older
//     view. The view has settled.
//
// The same question, repeated, keeps a member of a settled view in its right to
// act. What the answers mean is decided in package quorum.
//
// The nouns: a Settler drives; the mandate is the core of quorum with its lock; asks are the
// questions under way; evidence is what was found out about members that do not answer.
//
// Caveats: a view that has settled here may not have settled elsewhere yet; until it has, others
// answer that they are unsettled, and callers try again.
package settle
