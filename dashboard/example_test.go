package dashboard_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/dashboard"
)

// What one member sees, on a server of the service's own.
func ExampleHandler() {
	node, err := cachemesh.New(cachemesh.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if err := node.Start(); err != nil {
		log.Fatal(err)
	}
	defer node.Close()

	d := dashboard.Handler(node)
	defer d.Close()
	http.Handle("/mesh/", d) // under any prefix, and behind whatever asks for passwords

	answer := httptest.NewRecorder()
	http.DefaultServeMux.ServeHTTP(answer, httptest.NewRequest("GET", "/mesh/?format=json", nil))
	fmt.Println(answer.Code, answer.Header().Get("Content-Type"))
	// Output: 200 application/json
}
