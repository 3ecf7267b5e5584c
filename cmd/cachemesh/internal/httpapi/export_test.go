package httpapi

import "strings"

// Says returns what the page of the API must describe, as "get /path".
func Says() (all []string) {
	s := new(Server)
	for _, r := range append(s.routes(), s.open()...) {
		if r.says == nil {
			r.says = []string{r.pattern}
		}
		for _, one := range r.says {
			method, path, _ := strings.Cut(one, " ")
			all = append(all, strings.ToLower(method)+" "+path)
		}
	}
	return all
}
