package decision

import (
	"regexp"
	"strings"
)

// hidden stands in place of an id of a project or a user.
const hidden = "(hidden)"

// hidePrivate removes the ids of projects and users from every text, which a filter
// function that reads volume.project_id has put there.
func (e *explanation) hidePrivate() {
	for _, id := range e.failure.Private {
		hide := hider(id)
		e.out.Explanation = hide(e.out.Explanation)
		for i := range e.out.Refused {
			e.out.Refused[i].Reason = hide(e.out.Refused[i].Reason)
		}
	}
}

// hider returns a function that replaces an id in a text, where it is a word, and the
// beginning of an id at the end of a text that was shortened.
func hider(id string) func(string) string {
	word := regexp.MustCompile(`(^|\W)` + regexp.QuoteMeta(id) + `($|\W)`)
	return func(text string) string {
		for range 2 { // two ids may share the character between them
			text = word.ReplaceAllString(text, "${1}"+hidden+"${2}")
		}
		const least = 4 // characters that are part of an id, and not by chance
		for n := len(id) - 1; n >= least; n-- {
			if before, cut := strings.CutSuffix(text, id[:n]+"…"); cut {
				return before + hidden
			}
		}
		return text
	}
}
