package simulator

import "net/http"

// change answers requests that would change the array. A fixture never changes.
func (a *Array) change(r *http.Request, version int, path string) *reply {
	e, exists := a.schema[path]
	if !exists || e.since > version {
		return notFound(r.URL.Path)
	}
	return &reply{status: http.StatusForbidden, header: http.Header{}, body: object{"message": "This array only plays back what was recorded."}}
}

func (a *Array) extra(r *http.Request, _ string) *reply { return notFound(r.URL.Path) }
