"""A list of pairs is read strictly, and says who shows whom."""

import pytest

from biometrics.evaluation.pairs import GROUP_VALUES_MAX, PairsError, read_pairs


def text(*lines: str, header: str = "path_a,path_b,mated") -> bytes:
    return "\n".join([header, *lines, ""]).encode()


def test_pairs_are_read_with_their_groups() -> None:
    made = read_pairs(
        text("a/1.jpg,a/2.jpg,1,x,", "a/1.jpg,b/1.jpg,0,y,old", header="path_a,path_b,mated,g,age")
    )
    assert [pair.is_mated for pair in made.pairs] == [True, False]
    assert made.group_columns == ("g", "age")
    assert [dict(pair.groups) for pair in made.pairs] == [{"g": "x"}, {"g": "y", "age": "old"}]
    assert made.paths == ("a/1.jpg", "a/2.jpg", "b/1.jpg")
    assert len(made.digest) == 64


def test_photographs_of_one_folder_show_one_person() -> None:
    made = read_pairs(text("a/1,b/1,0", "a/2,b/2,0"))
    assert made.identities["a/1"] == made.identities["a/2"] != made.identities["b/1"]


def test_a_folder_with_different_people_is_no_person() -> None:
    made = read_pairs(text("x/1,x/2,0", "x/3,x/4,1"))
    assert len(set(made.identities.values())) == 3
    assert made.identities["x/3"] == made.identities["x/4"]


def test_folders_that_hold_days_are_no_people() -> None:
    made = read_pairs(text("day1/1,day2/1,1", "day1/2,day2/2,1", "day1/1,day2/2,0"))
    assert len(set(made.identities.values())) == 2
    assert made.identities["day1/2"] == made.identities["day2/2"]


def test_photographs_without_a_folder_are_told_apart_by_pairs() -> None:
    assert len(set(read_pairs(text("1,2,0", "3,4,1")).identities.values())) == 3


def test_identity_columns_say_who_is_shown() -> None:
    header = "path_a,path_b,mated,identity_a,identity_b"
    made = read_pairs(text("1,2,1,ann,ann", "2,3,0,ann,bo", header=header))
    assert made.identities["1"] == made.identities["2"] != made.identities["3"]
    assert made.group_columns == ()


@pytest.mark.parametrize(
    "line", ["1,2,0,ann,ann", "1,2,1,ann,bo", "1,2,1,,ann"], ids=["same", "other", "none"]
)
def test_identities_that_contradict_the_pair_are_refused(line: str) -> None:
    with pytest.raises(PairsError, match=r"contradicts|no identity"):
        read_pairs(text(line, header="path_a,path_b,mated,identity_a,identity_b"))


def test_pairs_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(PairsError, match="other lines say"):
        read_pairs(text("1,2,1", "2,3,1", "1,3,0"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "lacks the columns"),
        (b"\xff\xfe", "not UTF-8"),
        (text(), "no pairs"),
        (text("1,2", header="path_a,path_b"), "lacks the columns mated"),
        (text("1,2,1,x", header="path_a,path_b,mated,mated"), "twice"),
        (text("1,2,1,x", header="path_a,path_b,mated,"), "no name"),
        (text("1,2,1,x", header="path_a,path_b,mated,identity_a"), "come together"),
        (text("1,2"), "line 2: more or fewer"),
        (text("1,2,1,5"), "line 2: more or fewer"),
        (text("1,2,1", "1,3,maybe"), "line 3: mated is 1 or 0"),
        (text("1,1,1"), "itself"),
        (text(",1,1"), "not a path"),
        (text("/etc/passwd,1,1"), "below the root"),
        (text("../x,1,1"), "below the root"),
        (text("a\\b,1,1"), "not a path"),
        (text("1,2,1", "2,1,1"), "twice"),
        (text('"1,2,1'), "line [123]: unexpected end"),
    ],
)
def test_a_list_with_an_error_is_refused_with_its_reason(data: bytes, said: str) -> None:
    with pytest.raises(PairsError, match=said):
        read_pairs(data)


def test_a_column_of_names_is_no_division_into_groups() -> None:
    lines = (f"{n},{n}b,1,name{n}" for n in range(GROUP_VALUES_MAX + 1))
    with pytest.raises(PairsError, match="no division"):
        read_pairs(text(*lines, header="path_a,path_b,mated,name"))


def test_the_age_of_portraits_is_put_into_bands() -> None:
    ages = ("0", "4.9", "5", "12", "15", "31", "")
    made = read_pairs(
        text(
            *(f"{n},{n}b,1,{age}" for n, age in enumerate(ages)),
            header="path_a,path_b,mated,portrait_age_years",
        )
    )
    bands = [pair.groups.get("portrait_age_years") for pair in made.pairs]
    assert bands == ["00-04", "00-04", "05-09", "10-14", "15+", "15+", None]


@pytest.mark.parametrize("age", ["young", "-1", "nan", "inf", "200"])
def test_an_age_that_is_none_is_refused(age: str) -> None:
    with pytest.raises(PairsError, match="line 2: portrait_age_years"):
        read_pairs(text(f"1,2,1,{age}", header="path_a,path_b,mated,portrait_age_years"))
