"""A record whose content won't do: all that is wrong is listed, by shape, by limits and by rules."""

from decimal import Decimal

from schemas.identity import partition_for
from schemas.jsontext import loads
from schemas.rules import BY_CODE, Action, RulePolicy
from tests.unit.fakes_decode import COUNT, KEY, codes, event, example, invalid, record
from worker.decode import Limits, decode
from worker.model import Event, Reference, Refusal


class TestValidation:
    def test_all_problems_are_listed_and_the_identity_is_kept(self):
        data = example()
        data["invoice"] |= {"dueDate": "soon", "originalAmount": "2500", "duedate": 1}
        result = invalid(data)
        assert (result.reason, result.identity) == (Refusal.VALIDATION, KEY.decode())
        assert codes(result) == {
            ("/invoice/dueDate", "bad_date"),
            ("/invoice/originalAmount", "wrong_type"),
            ("/invoice/duedate", "unknown_field"),
        }

    def attachments(self, *parts, **more):
        return example() | {"attachments": [{"fileName": n, "mediaType": "a/b", "content": c} for n, c in parts]} | more

    def test_too_many_attachments(self):
        data = self.attachments(*((f"{i}.pdf", "aaaa") for i in range(3)))
        assert codes(invalid(data, limits=Limits(attachments=2))) == {("/attachments", "too_many")}
        assert len(invalid(self.attachments(*[("a", "aaaa")] * 101)).problems) == 1

    def test_a_referenced_document_has_a_limit_of_its_own(self):
        digest = "0" * 64
        part = {"fileName": "a", "mediaType": "a/b", "url": "https://a.example/a", "sha256": digest, "size": 12}
        data = example() | {"attachments": [part]}
        assert codes(invalid(data, limits=Limits(reference_bytes=11))) == {("/attachments/0/size", "too_large")}
        got = decode(record(data), partition_count=COUNT, limits=Limits(attachment_bytes=1, reference_bytes=12))
        assert isinstance(got, Event)
        assert got.attachments == (Reference("a", "a/b", "https://a.example/a", digest, 12),)

    def test_an_attachment_that_is_too_large_by_its_decoded_bytes(self):
        data = self.attachments(("a", "aaaa"), ("b", "aaa="), ("c", "aaaaaaaa"))
        assert codes(invalid(data, limits=Limits(attachment_bytes=2))) == {
            ("/attachments/0/content", "too_large"),
            ("/attachments/2/content", "too_large"),
        }
        assert isinstance(decode(record(data), partition_count=COUNT, limits=Limits(attachment_bytes=6)), Event)

    def test_one_file_name_twice(self):
        data = self.attachments(("a", "aaaa"), ("b", "aaaa"), ("a", "bbbb"))
        assert codes(invalid(data)) == {("/attachments/2/fileName", "duplicate_file_name")}

    def test_limits_are_reported_beside_the_rest(self):
        data = self.attachments(("a", "aaaa"), ("a", "?"), startMessage=1)
        assert codes(invalid(data)) == {
            ("/startMessage", "wrong_type"),
            ("/attachments/1/content", "bad_base64"),
            ("/attachments/1/fileName", "duplicate_file_name"),
        }


class TestRules:
    """Rules beyond shape: of a valid event only."""

    def test_by_default_what_does_not_exist_is_rejected_and_the_identity_is_kept(self):
        data = example()
        data["invoice"]["currencyCode"] = "NKR"
        result = invalid(data)
        assert (result.reason, result.identity) == (Refusal.VALIDATION, KEY.decode())
        assert codes(result) == {("/invoice/currencyCode", "currency")}

    def test_a_warning_does_not_change_what_is_sent(self):
        data = example()
        data["invoice"] |= {"email": "john@", "originalAmount": Decimal("2600.00")}
        got = event(data)
        assert {w.code for w in got.warnings} == {"amount_total", "email", "reference_missing"}
        assert loads(got.body) == data["invoice"]
        assert b'"originalAmount":2600.00' in got.body

    def test_order_lines_of_a_collection_case_are_sent_as_written_where_they_are_allowed(self):
        data = example("collection-case")
        data["invoice"]["orderLines"] = lines = example()["invoice"]["orderLines"]
        key = b"10759/CollectionCase/30001"
        made = record(data, key=key, partition=partition_for(key, COUNT))
        refused = decode(made, partition_count=COUNT)
        assert codes(refused) == {("/invoice/orderLines", "order_lines_in_collection_case")}
        rules = RulePolicy({"order_lines_in_collection_case": Action.WARN})
        taken = decode(made, partition_count=COUNT, rules=rules)
        assert "order_lines_in_collection_case" in {w.code for w in taken.warnings}
        assert loads(taken.body)["orderLines"] == lines

    def test_a_key_that_differs_may_be_refused_and_misrouted_stays_refused(self):
        rules = RulePolicy({"key_differs": Action.REJECT})
        assert codes(decode(record(example(), key=None), partition_count=COUNT, rules=rules)) == {("", "key_differs")}
        off = RulePolicy(dict.fromkeys(BY_CODE, Action.OFF))
        assert not decode(record(example(), key=None), partition_count=COUNT, rules=off).warnings
        assert decode(record(example(), partition=0), partition_count=COUNT, rules=off).reason is Refusal.MISROUTED

    def test_limits_are_reported_beside_rules_and_broken_shapes_are_not_judged(self):
        data = example() | {"attachments": [{"fileName": "a", "mediaType": "a/b", "content": "aaaa"}] * 2}
        data["invoice"]["currencyCode"] = "NKR"
        assert codes(invalid(data)) == {
            ("/invoice/currencyCode", "currency"),
            ("/attachments/1/fileName", "duplicate_file_name"),
        }
        data["invoice"]["dueDate"] = "soon"
        assert ("/invoice/currencyCode", "currency") not in codes(invalid(data))
