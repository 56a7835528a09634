package starter

import (
	"reflect"
	"testing"

	"hawker/internal/lang"
	"hawker/rules/book"
	"hawker/rules/rule"
)

// What a merchant begins with compiles in every language, beside all templates, and comes back from its text.
func TestAllCompile(t *testing.T) {
	for _, tag := range lang.Languages() {
		all := Rules(tag)
		for _, x := range Templates(tag) {
			if x.Key == "" || x.Title == "" || x.About == "" {
				t.Errorf("%s: template %q says too little", tag, x.Key)
			}
			all = append(all, x.Rule)
		}
		if _, err := book.New(all, book.Options{}); err != nil {
			t.Errorf("%s: %v", tag, err)
		}
		back, err := rule.Parse([]byte(rule.Text(all...)))
		if err != nil {
			t.Fatalf("%s: %v", tag, err)
		}
		for i := range all {
			all[i].ID = 0
			if !reflect.DeepEqual(all[i], back[i]) {
				t.Errorf("%s: wrote %+v, read %+v", tag, all[i], back[i])
			}
		}
	}
}
