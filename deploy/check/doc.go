// Package check holds what deploy/ has against those who will read it: Helm, Kubernetes'
// own types, systemd, and the program itself. It has tests alone.
package check
