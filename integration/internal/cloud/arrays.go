package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
)

// restVersion is the version of the REST API that Items uses.
const restVersion = "2.2"

// sessionHeader has the session of a login.
const sessionHeader = "X-Auth-Token"

// Items are the items of a response of the array of a stanza to GET, such as
// "volumes?names=a". The array counts the requests, as it counts those of others.
func (c *Cloud) Items(ctx context.Context, stanza, path string) ([]map[string]any, error) {
	c.t.Helper()
	array := c.Array(stanza)
	send := func(method, path, header, value string) *httptest.ResponseRecorder {
		request := httptest.NewRequestWithContext(ctx, method, "/api/"+restVersion+"/"+path, nil)
		request.Header.Set(header, value)
		recorder := httptest.NewRecorder()
		array.ServeHTTP(recorder, request)
		return recorder
	}
	session := send(http.MethodPost, "login", "Api-Token", "simulated").Header().Get(sessionHeader)
	defer send(http.MethodPost, "logout", sessionHeader, session)
	response := send(http.MethodGet, path, sessionHeader, session)
	var body struct {
		Items  []map[string]any
		Errors []struct{ Context, Message string }
	}
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		return nil, fmt.Errorf("decode GET %s of %s: %w", path, stanza, err)
	}
	if response.Code != http.StatusOK {
		return nil, fmt.Errorf("GET %s at %s: status %d: %v", path, stanza, response.Code, body.Errors)
	}
	return body.Items, nil
}
