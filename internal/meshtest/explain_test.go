package meshtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// explain shows where the checker got stuck in a history that is not linearizable: the
// end of the longest order that it found, and the operations that fit nowhere behind it,
// first those that had to come next.
func explain(loads bool, ops []porcupine.Operation, limit time.Duration) string {
	return explainBy(Model(loads), ops, limit)
}

// explainBy is explain by a model.
func explainBy(model porcupine.Model, ops []porcupine.Operation, limit time.Duration) string {
	var b strings.Builder
	for _, part := range partition(ops) {
		result, info := porcupine.CheckOperationsVerbose(model, part, limit)
		if result == porcupine.Ok {
			continue
		}
		var longest []porcupine.Operation
		for _, orders := range info.PartialLinearizationsOperations() {
			for _, order := range orders {
				if len(order) > len(longest) {
					longest = order
				}
			}
		}
		fmt.Fprintf(&b, "key %q, %d operations:\n", part[0].Input.(Input).Key, len(part))
		show := func(what string, list []porcupine.Operation) {
			for _, op := range list {
				fmt.Fprintf(&b, "\t%s client %d at %d to %d: %s\n", what, op.ClientId, op.Call, op.Return, model.DescribeOperation(op.Input, op.Output))
			}
		}
		show("in order:", longest[max(0, len(longest)-8):])
		rest := slices.DeleteFunc(slices.Clone(part), func(op porcupine.Operation) bool {
			return slices.ContainsFunc(longest, func(in porcupine.Operation) bool { return in.Call == op.Call })
		})
		slices.SortFunc(rest, func(x, y porcupine.Operation) int { return int(min(x.Return, 1<<40) - min(y.Return, 1<<40)) })
		show("  beyond:", rest[:min(len(rest), 6)])
	}
	return b.String()
}
