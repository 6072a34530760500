package status

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// TestFormOffersVolumeTypes: the types that are known, and what was sent stays in the
// form.
func TestFormOffersVolumeTypes(t *testing.T) {
	known := sampleView()
	known.Types = VolumeTypes{File: "/etc/poolcast/types.json", Names: []string{"bronze", "gold <b>"}}
	broken := sampleView()
	broken.Types = VolumeTypes{File: "/etc/poolcast/types.json", Fault: "it is empty", Since: noon}
	for name, c := range map[string]struct {
		view      View
		query     string
		want, not []string
	}{
		"none known": {
			sampleView(),
			"",
			[]string{`<a href="#place">Where would a volume go?</a>`, "set volume_types in [poolcast]", `<details class="more">`},
			[]string{"<select id=\"type\"", "further extra specs"},
		},
		"known": {
			known, "",
			[]string{`<option value="">none requested</option><option>bronze</option><option>gold &lt;b&gt;</option>`, "further extra specs"},
			[]string{"set volume_types", "<option selected>"},
		},
		"chosen":     {known, "size=1&volume_type=gold+<b>", []string{`<option>bronze</option><option selected>gold &lt;b&gt;</option>`}, nil},
		"another":    {known, "size=1&volume_type=gold", []string{`<option selected>gold</option><option>bronze</option>`}, nil},
		"not known":  {sampleView(), "size=1&volume_type=gold", []string{`none requested</option><option selected>gold</option></select>`}, nil},
		"unreadable": {broken, "", nil, []string{"<select id=\"type\"", "set volume_types"}},
		"with hints": {
			known, "size=1&hint=query%3D1&hint=same_host%3Dfa_01&property=a%3Db&property=c%3Dd%0Ae%3Df",
			[]string{`<details class="more" open>`, ">query=1\nsame_host=fa_01</textarea>", ">a=b\nc=d\ne=f</textarea>"},
			nil,
		},
		"with a selection": {
			known, "size=1&sort=-used&pool=gold&backend=fa_01",
			[]string{`<input type="hidden" name="sort" value="-used">`, `<input type="hidden" name="pool" value="gold">`, `<input type="hidden" name="backend" value="fa_01">`},
			[]string{`name="zone" value=`},
		},
		"with QoS": {known, "size=1&qos=maxIOPS%3D5", []string{`<details class="more" open>`, ">maxIOPS=5</textarea>"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, Options{Source: fixed(c.view), Placer: func(Query) (Decision, error) { return Decision{}, nil }})
			_, page := get(t, server.URL+"/?"+c.query)
			for _, want := range c.want {
				if !strings.Contains(page, want) {
					t.Errorf("the page has no %q", want)
				}
			}
			for _, not := range c.not {
				if strings.Contains(page, not) {
					t.Errorf("the page has %q", not)
				}
			}
		})
	}
}

// TestFormAsksAsTheAPIDoes: the form and /v1/place have the same query, and an error of
// the form stands on the page.
func TestFormAsksAsTheAPIDoes(t *testing.T) {
	var got []Query
	server := serve(t, Options{Placer: func(q Query) (Decision, error) {
		got = append(got, q)
		return Decision{}, errors.New("no type <glod>")
	}})
	query := url.Values{"size": {"7"}, "volume_type": {" gold "}, "property": {"a=b"}, "qos": {"maxIOPS=5"}, "hint": {"same_host=fa_01"}, "policy": {"prefer"}}.Encode()
	get(t, server.URL+"/v1/place?"+query)
	_, page := get(t, server.URL+"/?"+query)
	want := Query{
		Size: 7, VolumeType: "gold", Policy: "prefer",
		ExtraSpecs: map[string]string{"a": "b"}, QoS: map[string]string{"maxIOPS": "5"}, Hints: [][2]string{{"same_host", "fa_01"}},
	}
	if len(got) != 2 || !reflect.DeepEqual(got[0], want) || !reflect.DeepEqual(got[1], want) {
		t.Errorf("the queries are %+v, want two of %+v", got, want)
	}
	if !strings.Contains(page, `<p id="error" class="bad" role="alert">no type &lt;glod&gt;</p>`) {
		t.Error("the page has no error")
	}
}
