package status

import "net/http"

// openAPI serves the description of the JSON endpoints.
func (s *Server) openAPI(w http.ResponseWriter, _ *http.Request) {
	text, err := assets.ReadFile("assets/openapi.yaml")
	if err != nil {
		writeError(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(text)
}
