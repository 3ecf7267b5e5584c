package httpapi_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/httpapi"
)

type object = map[string]any

// page returns the page of the API, as a member serves it.
func page(t *testing.T, url string) (p object) {
	t.Helper()
	resp, text := ask(t, "GET", url+"/openapi.yaml", "")
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/yaml" {
		t.Fatal(resp.Status, resp.Header)
	}
	if err := yaml.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// at returns what a path of names leads to.
func at(t *testing.T, in any, path ...string) any {
	t.Helper()
	for _, name := range path {
		o, _ := in.(object)
		if in = o[name]; in == nil {
			t.Fatalf("the page has no %v", path)
		}
	}
	return in
}

var methods = []string{"get", "put", "post", "delete"}

// Every route is in the page, and nothing else; each operation has a name of its own, says what it
// answers, and names every part of its path.
func TestPageHasEveryRoute(t *testing.T) {
	p := page(t, serve(t, nil))
	if v := at(t, p, "openapi"); v != "3.1.0" {
		t.Errorf("openapi: %v", v)
	}
	var got []string
	names := make(map[any]bool)
	for path, item := range at(t, p, "paths").(object) {
		shared, _ := item.(object)["parameters"].([]any)
		for method, op := range item.(object) {
			if method == "parameters" {
				continue
			}
			if !slices.Contains(methods, method) {
				t.Errorf("%s: %s is no method", path, method)
			}
			got = append(got, method+" "+path)
			if name := at(t, op, "operationId"); names[name] {
				t.Errorf("two operations are %v", name)
			} else {
				names[name] = true
			}
			at(t, op, "summary")
			for status, answer := range at(t, op, "responses").(object) {
				o, _ := answer.(object)
				if o["$ref"] == nil && o["description"] == nil {
					t.Errorf("%s %s: %s has no description", method, path, status)
				}
			}
			said := fmt.Sprint(shared)
			for _, part := range []string{"group", "key"} {
				if strings.Contains(path, "{"+part+"}") != strings.Contains(said, "parameters/"+part) {
					t.Errorf("%s %s: parameters %s", method, path, said)
				}
			}
		}
	}
	want := httpapi.Says()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the page has\n%s\nand the routes are\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Every reference of the page leads somewhere, and every component is referred to.
func TestPageRefersToWhatIsThere(t *testing.T) {
	p := page(t, serve(t, nil))
	used := make(map[string]bool)
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case object:
			for name, in := range v {
				if to, ok := in.(string); ok && name == "$ref" {
					at(t, p, strings.Split(strings.TrimPrefix(to, "#/"), "/")...)
					used[to] = true
				}
				walk(in)
			}
		case []any:
			for _, in := range v {
				walk(in)
			}
		}
	}
	walk(p)
	for kind, all := range at(t, p, "components").(object) {
		for name := range all.(object) {
			if to := "#/components/" + kind + "/" + name; !used[to] && kind != "securitySchemes" {
				t.Errorf("nothing refers to %s", to)
			}
		}
	}
}

// The page's schemas have the fields that are sent.
func TestPageHasEveryField(t *testing.T) {
	p := page(t, serve(t, nil))
	for name, v := range map[string]any{"Problem": httpapi.Problem{}, "Many": httpapi.Many{}, "Owner": httpapi.Owner{}, "Member": httpapi.Member{}, "Group": httpapi.Group{}, "Stats": httpapi.Stats{}} {
		var got, want []string
		for field := range at(t, p, "components", "schemas", name, "properties").(object) {
			got = append(got, field)
		}
		for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			want = append(want, tag)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// What the page describes is answered as it says.
func TestPageIsTrue(t *testing.T) {
	url := serve(t, nil)
	for path, item := range at(t, page(t, url), "paths").(object) {
		for method, op := range item.(object) {
			if method == "parameters" || path == "/metrics" {
				continue
			}
			to := strings.NewReplacer("{group}", "pages", "{key}", "k").Replace(path)
			resp, body := ask(t, strings.ToUpper(method), url+to, `{"keys": ["a"]}`)
			said := at(t, op, "responses").(object)
			if _, ok := said[fmt.Sprint(resp.StatusCode)]; !ok || strings.Contains(body, `"detail":"there is no `) {
				t.Errorf("%s %s: %s %s", method, path, resp.Status, body)
			}
		}
	}
}
