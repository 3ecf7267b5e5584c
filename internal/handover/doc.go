// Package handover moves values that nobody could load again: those of groups without a
// loader, whose owner is another member by now.
//
// The nouns: a mover moves them, in passes, each of which looks once through all that the
// node holds and sends what others own by one view. A parcel is such a value; a list of
// them, packed, is what is sent. What comes for a group that is not registered here yet
// is parked until it is, and moves on with its keys meanwhile. What nobody takes in the
// end is lost, counted, and said.
//
// What holds: a value is let go only when its new owner has it, or when nobody took any for long:
// then it is lost, counted and said; a value that is older than what is here never replaces it; and while something
// is on its way [owner.Duties].Handing is not zero, so this node votes for no view by which the new
// owners could begin without it.
//
// Caveats: an owner that took a list and could not say so is sent it again, which merging
// makes harmless. The traces of Deletes are moved like values, and are counted nowhere.
package handover
