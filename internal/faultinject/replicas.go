package faultinject

// Replicas lists the safeguards of copies to leave out. The zero value, and a nil *Replicas, leave out none.
type Replicas struct {
	// NilAlone makes a write count although fewer members have it than shall have copies.
	NilAlone bool

	// OtherView makes a holder carry out what was sent to it in another view.
	OtherView bool

	// LookOnce makes a write count although the view has changed since it began.
	LookOnce bool

	// SuccessorsOnly makes a new owner believe only those that would hold copies by its view.
	SuccessorsOnly bool

	// ShowFirst makes a new owner show values before there are enough copies of them.
	ShowFirst bool

	// NoWait makes a new owner act before the right of those that are missing has lapsed.
	NoWait bool

	// OwnWord makes a holder drop copies that by its own view it need not have.
	OwnWord bool

	// ShortTraces makes an owner drop the trace of a Delete once there are enough copies of it.
	ShortTraces bool

	// ForgetMissing makes an owner drop traces while a member is missing that may hold an older value.
	ForgetMissing bool

	// NoteLater makes an owner note whom it sent a copy to when it was answered.
	NoteLater bool

	// TakeLate makes a holder carry out what was sent before it was told to drop a copy.
	TakeLate bool

	// KeepOlder makes an owner show a value that a member cannot hold, which may have an older one, though too few others have it.
	KeepOlder bool

	// EvictUnheld makes an owner that cannot hold what it has written take that for evicted.
	EvictUnheld bool

	// ClearUnnoted makes members tell new owners of a Clear only after they have carried it out.
	ClearUnnoted bool

	// DropFirst makes an owner that evicted a value have its copies dropped while others may have an older one.
	DropFirst bool

	// Unheard makes an owner believe what a member tells of its copies that has begun anew since.
	Unheard bool

	// SameNumbers makes the parts of a group that a member makes one after the other number what they send alike.
	SameNumbers bool

	// TraceOfGone makes an owner take a value for lost that went with the group of the last member that had it,
	// though others have the one before.
	TraceOfGone bool

	// LeaveWritten makes an owner not begin anew with a key whose newest value went with a group while it was written.
	LeaveWritten bool

	// HideGained makes an owner that asks all anew what they have not show meanwhile what it gained.
	HideGained bool

	// PassBy makes an owner that goes on with a change of view not look at a key first that is asked for.
	PassBy bool

	// CarryTwice makes an owner that goes on with a change of view come back to keys that it has looked at.
	CarryTwice bool

	// KeepGained makes an owner whose view changes again show a key that it gained in the one between, and did not look at.
	KeepGained bool

	// SkipView makes an owner whose view changes again believe that it looked at all of its keys in the one between.
	SkipView bool
}
