package rule

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
)

// full are rules in which every field of every kind is set once.
func full() []Rule {
	all := []Rule{
		{
			ID: 7, Name: "All: \"conditions\" {braces}", Off: true, When: When{Event: Command, Words: []string{"raffle", "tombola"}},
			Only: Only{
				Platforms: []chat.Platform{chat.Twitch, chat.Room}, Roles: []Role{Subscriber, VIP}, NotRoles: []Role{Owner}, FirstBuyer: Yes, Bought: "..3", Spent: "49.99..", Show: ShowHot,
				Items: []int{3, 12}, Tags: []string{"mug", "on sale: now"}, Stock: "1..10", Months: "6..", From: "18:00", To: "02:00", Days: []Day{"fri", "sat"}, Chance: 25,
				Expr: `left > 3 and user != "bob"`,
			},
			Then: []Action{{Do: Reply, Text: "{user}: \\o/ é 日本 #1", After: 90 * time.Second, If: "true"}},
			AtMost: AtMost{
				PerPerson: 1, PerChannel: 2, PerShow: 3, PersonCooldown: 30 * time.Second, ChannelCooldown: time.Minute, ShowCooldown: 26 * time.Hour,
			},
		},
		{Name: "amount", When: When{Event: Cheered}, Only: Only{Amount: "100", FirstBuyer: No}, Then: []Action{{Do: Say, Text: "yes", Channels: []string{"twitch", "discord/12"}}}},
		{Name: "matches", When: When{Event: Matches, Pattern: `bit\.ly/\w+`}, Then: []Action{{Do: Stop}}},
		{Name: "every", When: When{Event: Every, Every: 90 * time.Minute}, Then: []Action{{Do: NextItem}}},
		{Name: "at", When: When{Event: At, At: "20:00"}, Then: []Action{{Do: Slate, On: true}, {Do: Slate}}},
		{Name: "lines", When: When{Event: AfterLines, Lines: 100}, Then: []Action{{Do: Hot, On: true, For: time.Minute}}},
		{Name: "stock", When: When{Event: StockAt, Left: 3}, Then: []Action{{Do: Price, Amount: "19.99", Item: 3}, {Do: Stock, Amount: "+5"}}},
		{Name: "hook", When: When{Event: Webhook, Title: "restocked"}, Then: []Action{{Do: Set, Name: "x", Value: "counters.x + 1"}}},
		{Name: "reward", When: When{Event: Redeemed, Title: "Pick: one"}, Then: []Action{{Do: FulfilReward}, {Do: Claim}, {Do: Claim, Item: 4, Quantity: 2}}},
		{
			Name: "rest", When: When{Event: Raided}, Then: []Action{
				{Do: DiscountCode, Amount: "10%", For: time.Hour, Name: "RAID", Text: "{code}"},
				{Do: Card, Text: "x", Picture: "https://example.com/a.png", Sound: "https://example.com/a.mp3", For: 5 * time.Second},
				{Do: Call, URL: "https://example.com/hook?a=b", Text: "{user}"},
				{Do: TimeOut, For: 10 * time.Minute, Text: "why"},
				{Do: GiveRole, Name: "123"},
				{Do: ShoutCreator},
				{Do: Air, Item: 1},
				{Do: DestinationOn, Name: "youtube"},
			},
		},
	}
	return all
}

func TestRoundTrip(t *testing.T) {
	all := full()
	for i := range all {
		if err := Check(&all[i]); err != nil {
			t.Errorf("%v", err)
		}
	}
	var back []Rule
	j, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(j, &back); err != nil || !reflect.DeepEqual(all, back) {
		t.Errorf("JSON: %v\n%s\ngot %+v", err, j, back)
	}
	if back, err = Parse(j); err != nil || !reflect.DeepEqual(all, back) {
		t.Errorf("JSON as text: %v\n%s\ngot %+v", err, j, back)
	}
	for i := range all {
		all[i].ID = 0
	}
	if back, err = Parse([]byte(Text(all...))); err != nil || !reflect.DeepEqual(all, back) {
		t.Errorf("YAML: %v\n%s\ngot %+v", err, Text(all...), back)
	}
	for i := range all {
		if back, err = Parse([]byte(Text(all[i]))); err != nil || len(back) != 1 || !reflect.DeepEqual(all[i], back[0]) {
			t.Errorf("one: %v\n%s\ngot %+v", err, Text(all[i]), back)
		}
	}
}

// The form that was there first is still read.
func TestOldForm(t *testing.T) {
	var r Rule
	if err := json.Unmarshal([]byte(`{"name":"Thank buyers","when":"order paid","then":[{"shout-out":"{user} bought {item}!"},{"say":"hi"}]}`), &r); err != nil {
		t.Fatal(err)
	}
	want := Rule{Name: "Thank buyers", When: When{Event: OrderPaid}, Then: []Action{{Do: ShoutOut, Text: "{user} bought {item}!"}, {Do: Say, Text: "hi"}}}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("%+v", r)
	}
}

func TestParseFaults(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"name: x\nwhen: order payed\nthen: [{say: hi}]", `line 2, column 7: nothing is called "order payed" (did you mean "order paid"?); there are: command, `},
		{"name: x\nwhen: order paid\nthen:\n  - shout: hi", `line 4, column 5: nothing is called "shout" (did you mean "shout-out"?); there are: reply, say, `},
		{"name: x\nwhen: order paid\nthen:\n  - say: hi\n    loud: yes", `line 5, column 5: an action has no "loud" (there are: say, in, after, if)`},
		{"name: x\nwhen: order paid\nthen:\n  - say: hi\n    shout-out: ho", `line 5, column 5: an action is one thing; "say" and "shout-out" make two`},
		{"name: x\nwhen: order paid\nonly if:\n  roles: [sub]\nthen: [{say: hi}]", `line 4, column 10: a role is viewer, follower, subscriber, vip, moderator or owner, not "sub"`},
		{"name: x\nwhen: show started\nonly if:\n  roles: [vip]\nthen: [{say: hi}]", `line 4, column 10: no viewer stands behind "show started"`},
		{"name: x\nwhen: {every: soon}\nthen: [{say: hi}]", `line 2, column 15: every is "soon"; want a length of time such as 30s, 10m or 24h`},
		{"name: x\nwhen: {every: 30s}\nthen: [{say: hi}]", `line 2, column 15: every is whole minutes, from 1m to 24h`},
		{"name: x\nwhen: {order paid: now}\nthen: [{say: hi}]", `line 2, column 8: "order paid" stands alone: when: order paid`},
		{"name: x\nwhen: {line matches: 'a(b'}\nthen: [{say: hi}]", `line 2, column 23: the pattern cannot be read: missing closing ) at "a(b"`},
		{"name: x\nwhen: order paid\nthen: [{say: hi, after: 2h}]", `line 3, column 25: want whole seconds, at most 1h`},
		{"name: x\nwhen: order paid\nthen: [{webhook: http://example.com}]", `line 3, column 18: want an address that begins with https://`},
		{"name: x\nwhen: order paid\nat most: {per show: none}\nthen: [{say: hi}]", `line 3, column 21: per show is "none"; want a whole number from 1 on`},
		{"when: order paid\nthen: [{say: hi}]", `line 1, column 1: a rule needs name`},
		{"- name: x\n  when: order paid\n  then: [{say: hi}]\n- 3", `line 4, column 3: a rule is a single value here; write keys with values`},
	} {
		_, err := Parse([]byte(tt.text))
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s\ngot  %v\nwant %s", tt.text, err, tt.want)
		}
	}
}

func TestCheckFaults(t *testing.T) {
	say := []Action{{Do: Say, Text: "hi"}}
	for _, tt := range []struct {
		rule Rule
		want string
	}{
		{Rule{When: When{Event: OrderPaid}, Then: say}, `rule "", name: it is empty`},
		{Rule{Name: "x", When: When{Event: OrderPaid}}, `rule "x", then: it does nothing; say what it is to do`},
		{Rule{Name: "x", When: When{Event: OrderPaid}, Then: make([]Action, 11)}, `rule "x", then: it does more than 10 things; make two rules of it`},
		{Rule{Name: "x", When: When{Event: OrderPaid, Words: []string{"a"}}, Then: say}, `rule "x", when: "order paid" is told no words`},
		{Rule{Name: "x", When: When{Event: Matches, Pattern: "(a{900}){2}"}, Then: say}, `rule "x", when, column 9: the pattern cannot be read: invalid repeat count at "{2}"`},
		{Rule{Name: "x", When: When{Event: Matches, Pattern: strings.Repeat("[a-zäöü0-9]{100}", 20)}, Then: say}, `rule "x", when: the pattern comes to`},
		{Rule{Name: "x", When: When{Event: OrderPaid}, Then: []Action{{Do: DeleteLine}}}, `rule "x", action 1, delete line: "order paid" is no line that could be deleted`},
		{Rule{Name: "x", When: When{Event: ShowEnded}, Then: []Action{{Do: DirectMessage, Text: "hi"}}}, `rule "x", action 1, direct message: no viewer stands behind "show ended"`},
		{Rule{Name: "x", When: When{Event: OrderPaid}, Then: []Action{{Do: Say, Text: "hi", Item: 3}}}, `rule "x", action 1, item: "say" has no item`},
		{Rule{Name: "x", When: When{Event: OrderPaid}, Then: []Action{{Do: Say}}}, `rule "x", action 1, say: say is missing`},
		{Rule{Name: "x", When: When{Event: OrderPaid}, Then: []Action{{Do: Say, Text: strings.Repeat("é", 501)}}}, `rule "x", action 1, say: it is longer than 500 characters`},
		{Rule{Name: "x", When: When{Event: OrderPaid}, Only: Only{Spent: "10..5"}, Then: say}, `rule "x", spent: the smaller number comes first`},
		{Rule{Name: "x", When: When{Event: Subscribed}, Only: Only{Amount: "5"}, Then: say}, `rule "x", amount: "sub" has no amount`},
		{Rule{Name: "x", When: When{Event: Every, Every: time.Hour}, AtMost: AtMost{PerPerson: 1}, Then: say}, `rule "x", per person: no viewer stands behind "every"`},
	} {
		err := Check(&tt.rule)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
	}
}

// What is read and sound is written as a text that reads the same, in both forms.
func FuzzParse(f *testing.F) {
	all := full()
	for i := range all {
		f.Add(Text(all[i]))
	}
	f.Add("- {name: a, when: first line, then: [{say: '}{'}]}")
	f.Add(`{"name":"\u00e9","when":{"line contains":["a"]},"then":[{"say":"x"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		all, err := Parse([]byte(text))
		if err != nil || len(all) == 0 {
			return
		}
		for i := range all {
			all[i].ID = 0
		}
		back, err := Parse([]byte(Text(all...)))
		if err != nil || !reflect.DeepEqual(all, back) {
			t.Fatalf("%v\n%s\nread %+v\nback %+v", err, Text(all...), all, back)
		}
		all[0].ID = commerce.ID(1)
		j, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		back = nil
		if err := json.Unmarshal(j, &back); err != nil || !reflect.DeepEqual(all, back) {
			t.Fatalf("%v\n%s", err, j)
		}
	})
}
