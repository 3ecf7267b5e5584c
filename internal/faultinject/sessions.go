package faultinject

// Sessions lists the safeguards of sessions and registrations to leave out. The zero value leaves out none.
type Sessions struct {
	// GrantsExtend makes a holder take the grant of a copy for a renewal.
	GrantsExtend bool

	// RenewUnreached makes an owner renew the session of a holder that it cannot call.
	RenewUnreached bool

	// KeepLapsed makes an owner go on without a holder whose session has lapsed, and renew the session afterwards.
	KeepLapsed bool

	// RenewEnded makes an owner renew sessions of a former era, and of holders that had left its view.
	RenewEnded bool

	// ForgetEnded makes an owner forget those that have a session which it renews no more, before that has lapsed.
	ForgetEnded bool

	// LateRenewals makes a holder believe a renewal that it sent before its machine was suspended.
	LateRenewals bool

	// PurgeEarly makes an owner forget the holders of keys that it has lost before its view has settled.
	PurgeEarly bool

	// GrantFormer makes an owner grant copies of what was stored in an era before, and is about to go.
	GrantFormer bool

	// GrantLeaving makes an owner grant copies of a key whose registration it is taking back, and forget these with the rest.
	GrantLeaving bool

	// Cramped is no safeguard to leave out: an owner has room for the registration of one key alone.
	Cramped bool
}
