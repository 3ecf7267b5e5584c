package wire

import (
	"reflect"
	"testing"
	"time"
)

// TestClaimsTravel: what is packed is parsed as it was, and what is cut short is refused.
func TestClaimsTravel(t *testing.T) {
	token := Token{ID: 1 << 60, Run: 7, Number: 9}
	bid := Bid{ID: 5, From: "member#1", Wait: time.Hour, Hold: time.Second, Cache: true}
	grant := Grant{Token: token, Old: true, Age: time.Minute, Value: []byte("old")}
	fill := Fill{Token: token, What: FillFailed, Flags: FlagPanic, Rest: []byte("why")}
	if got, ok := ParseBid(bid.Pack()); !ok || got != bid {
		t.Errorf("%+v, %t", got, ok)
	}
	for _, g := range []Grant{grant, {Token: token}} {
		if got, ok := ParseGrant(g.Pack()); !ok || !reflect.DeepEqual(got, g) {
			t.Errorf("%+v, %t", got, ok)
		}
	}
	if got, ok := ParseFill(fill.Pack()); !ok || !reflect.DeepEqual(got, fill) {
		t.Errorf("%+v, %t", got, ok)
	}
	ids := []uint64{1, 1 << 63}
	if got, ok := ParseIDs(PackIDs(ids)); !ok || !reflect.DeepEqual(got, ids) {
		t.Errorf("%v, %t", got, ok)
	}
	if held, ok := ParseHeld(PackHeld([]bool{true, false}), 2); !ok || !held[0] || held[1] {
		t.Errorf("%v, %t", held, ok)
	}
	_, bidOK := ParseBid(bid.Pack()[:9])
	_, grantOK := ParseGrant(grant.Pack()[:tokenBytes-1])
	_, fillOK := ParseFill(fill.Pack()[:tokenBytes])
	_, whatOK := ParseFill((&Fill{What: FillTooLarge + 1}).Pack())
	_, idsOK := ParseIDs(make([]byte, 9))
	_, manyOK := ParseIDs(make([]byte, 8*(MaxHolding+1)))
	_, heldOK := ParseHeld([]byte{1}, 2)
	for what, ok := range map[string]bool{"bid": bidOK, "grant": grantOK, "fill": fillOK, "what": whatOK, "ids": idsOK, "many": manyOK, "held": heldOK} {
		if ok {
			t.Errorf("a malformed %s is taken", what)
		}
	}
}
