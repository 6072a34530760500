package simulator

import (
	"strings"
	"testing"
)

// example is an item with each kind of field.
var example = object{
	"name": "CT0.ETH4", "destroyed": false, "is_local": true, "created": int64(1735689600000), "provisioned": int64(1 << 30),
	"eth": object{"subtype": "vif", "address": nil}, "iqns": []any{"iqn.a", "iqn.b"}, "ratio": 0.5, "note": "it's \\ here",
	"volume_group": object{"id": nil, "name": nil}, "pod": object{"id": "1", "name": "p1"}, "empty": []any{}, "nothing": nil,
	"arrays": []any{object{"name": "one"}, object{"name": "two"}},
	"tags":   []any{object{"key": "env", "value": "prod"}},
}

func fieldsOf(o object) *field {
	f := &field{}
	for name, value := range o {
		f.add([]string{name}, 0)
		inner, _ := value.(object)
		if list, ok := value.([]any); ok && len(list) > 0 {
			inner, _ = list[0].(object)
		}
		for child := range inner {
			f.add([]string{name, child}, 0)
		}
	}
	return f
}

func TestFilter(t *testing.T) {
	fields := fieldsOf(example)
	for text, want := range map[string]bool{
		`name='CT0.ETH4'`:                              true,
		`name='ct0.eth4'`:                              true,
		`name = "CT0.*"`:                               true,
		`name='*ETH*'`:                                 true,
		`name='*0*4'`:                                  true,
		`name='CT1.*'`:                                 false,
		`name!='CT1.*'`:                                true,
		`name='CT0.ETH4*ETH4'`:                         false,
		`note='it\'s \\ here'`:                         true,
		`provisioned>=1073741824`:                      true,
		`provisioned > 1073741824`:                     false,
		`provisioned<1e12 and provisioned!=5`:          true,
		`ratio="0.5"`:                                  true,
		`ratio<=0.4 or ratio>0.4`:                      true,
		`created<'2025-01-01T00:00:00Z'`:               false,
		`created='2025-01-01'`:                         true,
		`destroyed=false`:                              true,
		`destroyed=True`:                               false,
		`not destroyed`:                                true,
		`not(is_local)`:                                false,
		`iqns='iqn.b' and is_local`:                    true,
		`iqns='iqn.b' and not is_local`:                false,
		`iqns='iqn.c'`:                                 false,
		`iqns!='iqn.b'`:                                false,
		`iqns[any]='iqn.b'`:                            true,
		`iqns[all]='iqn.b'`:                            false,
		`iqns[all]='iqn.*'`:                            true,
		`empty[all]='x'`:                               false,
		`contains(iqns,'iqn.a')`:                       true,
		`contains(name,'eth')`:                         true,
		`contains(provisioned,'1')`:                    false,
		`eth.subtype='lacp_bond' or eth.subtype='vif'`: true,
		`eth.address='x'`:                              false,
		`eth.address!='x'`:                             true,
		`eth.address`:                                  false,
		`volume_group`:                                 false,
		`volume_group.name`:                            false,
		`pod and pod.name='p1'`:                        true,
		`arrays.name='two'`:                            true,
		`arrays.name='three'`:                          false,
		`name=('a','CT0.ETH4')`:                        true,
		`name=(('a','CT0.ETH4'))`:                      true,
		`name!=('a','b')`:                              true,
		`name=('a')`:                                   false,
		`tags('env','prod')`:                           true,
		`tags('env','test')`:                           false,
		`nothing`:                                      false,
		`empty`:                                        false,
		`(is_local and (destroyed or name>'A')) and iqns`: true,
		`destroyed and destroyed or is_local`:             true, // and binds tighter
		`destroyed and (destroyed or is_local)`:           false,
		`is_local=1`:                                      false,
		`is_local>false`:                                  true,
		`name>=5`:                                         false,
		`provisioned='many'`:                              false,
		strings.Repeat("(", 60) + "is_local" + strings.Repeat(")", 60): true,
	} {
		e, err := parseFilter(text, fields)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := e(func(path string) (any, bool) { return lookup(example, path) }); got != want {
			t.Errorf("%s is %v, want %v", text, got, want)
		}
	}
}

func TestFilterInvalid(t *testing.T) {
	fields := fieldsOf(example)
	for text, want := range map[string]string{
		"":                                      "ends too early",
		"name=":                                 "ends too early",
		"name='x":                               "without an end",
		"name==5":                               "unexpected",
		"name=x":                                "unexpected \"x\" at character 6",
		"colour='red'":                          "unknown field",
		"(is_local":                             "ends too early",
		"is_local)":                             "unexpected",
		"and":                                   "unknown field",
		"is_local is_local":                     "unexpected",
		"name!'x'":                              "! without =",
		"name=('a' 'b')":                        "unexpected",
		"name<('a')":                            "unexpected",
		"name='a' & is_local":                   "unexpected character",
		"contains(name)":                        "unexpected",
		"contains('x',name)":                    "does not take",
		"colour(name,'x')":                      "does not take",
		"contains(colour,'x')":                  "unknown field",
		"5=name":                                "unexpected",
		"provisioned=5x":                        "unexpected",
		strings.Repeat("(", 99):                 "nested more than",
		strings.Repeat("not ", 99) + "is_local": "nested more than",
		strings.Repeat(" ", 9000):               "longer than",
	} {
		_, err := parseFilter(text, fields)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		`name='CT0.*'`, `not(a=1) and (b='x\'' or c)`, `name=(('a','b'))`, `tags('a','b')`, `contains(name,'x')`, `iqns[all]='x'`, `created<'2025-01-01T00:00:00Z'`,
	} {
		f.Add(s)
	}
	fields := fieldsOf(example)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := parseFilter(text, fields)
		if (e == nil) == (err == nil) {
			t.Fatalf("filter %v and error %v", e, err)
		}
		if err == nil {
			e(func(path string) (any, bool) { return lookup(example, path) })
		}
	})
}
