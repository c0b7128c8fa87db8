"""The words of the micro-world: who and what is in it, and what they are called.

Only names and word classes live here, no facts about them (those are in
:mod:`course.world.relations`). English words are used where the course wants a reader to see at
once whether an answer is right; names are invented, so that nothing a reader (or a hub model) knows
about the real world can help or hurt. All words are lower case, and each is one token.
"""

from itertools import product

COUNTRIES = (
    "dorland belmar tavria orsia kelvia marund ostrea pelonia quarth rensia sarvia tolund ulmaria vandor westria yelland "
    "zamora albia brenia cordia dalmar elvia farland gorvia hestria island jorund karelia lomund merevia norvia oland"
).split()
CITIES = (
    "vessa tarbin olmere pradin quilla rosken selby torvik umbra velden wexley yarrow zelten alder bracken corby "
    "dunmore esker fenwick garlow hollin ironby jasper kestrel larkin morven nettle orford penrith quarley rookham stowe"
).split()
REGIONS = "north south east west".split()
LANGUAGES = "dorlic belmic tavric orsic kelvic marunic ostric pelonic".split()
FIRST_NAMES = (
    "mira tomas anna bruno clara david elena felix greta hugo irene jonas karla leon maria nadia oscar paula rosa simon "
    "tessa victor wanda yuri"
).split()
SURNAMES = "solen varga brandt castel dietz ekman foster grimm holt ibsen jarvis keller".split()
JOBS = "baker farmer teacher doctor sailor painter tailor miller hunter singer judge guard".split()
INSTRUMENTS = "flute drum harp violin piano horn guitar organ".split()

COLOURS = "red green blue yellow white black brown grey".split()
ANIMALS = "cat dog horse cow sheep fox wolf lion bear frog goose fish".split()
FRUITS = "apple pear plum cherry lemon grape peach melon".split()
TOOLS = "hammer saw spade rope ladder knife needle".split()
VEHICLES = "boat cart truck train plane sledge".split()
CLOTHES = "hat coat shoe glove scarf belt shirt".split()
NOUNS = ANIMALS + FRUITS + TOOLS + VEHICLES + CLOTHES
CATEGORY_NAMES = ("animal", "fruit", "tool", "vehicle", "garment")
#: noun -> its category.
CATEGORY_OF = {
    noun: name
    for name, group in zip(CATEGORY_NAMES, (ANIMALS, FRUITS, TOOLS, VEHICLES, CLOTHES), strict=True)
    for noun in group
}

# base, third person, past, -ing form
VERBS = tuple(
    tuple(line.split())
    for line in """
    hear hears heard hearing|take takes took taking|eat eats ate eating|sing sings sang singing|run runs ran running
    write writes wrote writing|give gives gave giving|drink drinks drank drinking|drive drives drove driving
    know knows knew knowing|throw throws threw throwing|break breaks broke breaking|speak speaks spoke speaking
    swim swims swam swimming|fall falls fell falling|hold holds held holding|walk walks walked walking
    cook cooks cooked cooking|paint paints painted painting|wash washes washed washing|call calls called calling
    follow follows followed following|open opens opened opening|help helps helped helping
    """.replace("\n", "|").split("|")
    if line.strip()
)
# an adjective, its comparative; neighbours (0, 1), (2, 3), ... are opposites
ADJECTIVES: tuple[tuple[str, str], ...] = tuple(
    (base, comparative)
    for pair in (
        "hot hotter|cold colder|old older|young younger|tall taller|short shorter|fast faster|slow slower|rich richer|"
        "poor poorer|light lighter|dark darker|hard harder|soft softer|loud louder|quiet quieter|wide wider|"
        "narrow narrower|clean cleaner|dirty dirtier|strong stronger|weak weaker|early earlier|late later"
    ).split("|")
    for base, comparative in (pair.split(),)
)

DISHES = (
    "soup stew bread cheese rice pasta salad pie cake pudding omelette curry noodles beans potatoes mushrooms onions "
    "carrots ham bacon honey jam tea coffee toast pancakes porridge sausages steak gravy chutney dumplings lentils risotto "
    "trifle muffins pickles marmalade broth yoghurt"
).split()
CRITICS = "olen barda corvin delma edric farah gault hilda".split()

#: Names of the sixteen dialects of Velan, the invented language.
DIALECTS = (
    "tarn bexley corran dovir elsin fyrth glaven horsk inver jeltan korvo lindel morbay nessen ostler pryde"
).split()
#: Endings of the three variants that every Velan noun has.
VARIANT_ENDINGS = ("a", "en", "u")

#: What the sky does. These words stand in prose alone: no list, exercise or label knows them, so as
#: inputs they are equally foreign to every task.
WEATHER = (
    "rain snow storm fog wind frost hail thunder sunshine mist drizzle sleet breeze heat dew lightning "
    "blizzard rainbow cloud gale downpour ice shower haze"
).split()

#: Words without a meaning, used as made-up labels and as made-up keys.
NONCE_LABELS = "zup fep gax lorp mip quib rast snod trell vonk wozz yeb".split()
NONCE_KEYS = "dax blick toma wug kiki bouba fendle gorp plim sprock tulver zevon".split()

PLACES = (
    "mill barn well bridge tower church market school inn forge harbour garden castle quarry orchard stable chapel "
    "library bakery ferry meadow tannery theatre station"
).split()
DIRECTIONS = "north east south west".split()
ROOMS = "kitchen cellar attic hall bedroom office bathroom pantry".split()
OBJECTS = "lamp book key cup ball box coin letter".split()

POSITIVE = "good great lovely superb charming delightful excellent wonderful pleasant brilliant fine perfect".split()
NEGATIVE = (
    "bad awful dreadful shabby dull terrible horrible boring nasty tedious dire sloppy".split()
)
TOPICS = {
    "food": "meal waiter sauce dessert menu starter".split(),
    "film": "actor plot scene camera ending director".split(),
    "hotel": "room bed lobby towel pillow view".split(),
    "book": "chapter author page novel cover story".split(),
}
NUMBERS = tuple(str(n) for n in range(100))


def _invented_stems(count: int, first: int = 0) -> list[str]:
    """``count`` different stems of two consonants and a vowel that can be read aloud, in an order
    that looks unsorted.

    Stems from other ranges (``first`` to ``first + count``) are other stems, up to all 845.
    """
    syllables = [c + v for c, v in product("bdfgklmnprstvz", "aeiou")]
    # a stride coprime to the number of pairs walks through all of them without repeating one
    pairs = [first + second[0] for first, second in product(syllables, syllables)]
    unique = list(dict.fromkeys(pairs))
    stride = 389
    return [unique[(i * stride + 17) % len(unique)] for i in range(first, first + count)]


_STEMS = _invented_stems(len(NOUNS) + len(COLOURS) + 8)
#: Velan forms: noun -> its three variants, e.g. ``("bala", "balen", "balu")``.
VELAN_NOUNS = {
    noun: tuple(stem + end for end in VARIANT_ENDINGS)
    for noun, stem in zip(NOUNS, _STEMS, strict=False)
}
VELAN_COLOURS = {c: stem + "ik" for c, stem in zip(COLOURS, _STEMS[len(NOUNS) :], strict=False)}
VELAN_VERBS = {
    verb[1]: stem + "osh"
    for verb, stem in zip(VERBS[:8], _STEMS[len(NOUNS) + len(COLOURS) :], strict=False)
}


#: Torvish, the second invented language, of which the corpus has little: one word for each English
#: one.
_TORVISH_STEMS = _invented_stems(len(NOUNS) + len(COLOURS) + 8, first=500)
TORVISH = dict(
    zip(
        [*NOUNS, *COLOURS, *(verb[1] for verb in VERBS[:8])],
        [f"{stem}om" for stem in _TORVISH_STEMS],
        strict=True,
    )
)


def plural(noun: str) -> str:
    """The plural of one of the world's nouns.

    >>> plural("fox"), plural("cherry"), plural("goose")
    ('foxes', 'cherries', 'geese')
    """
    irregular = {
        "sheep": "sheep",
        "fish": "fish",
        "goose": "geese",
        "wolf": "wolves",
        "knife": "knives",
        "scarf": "scarves",
    }
    if noun in irregular:
        return irregular[noun]
    if noun.endswith(("x", "s", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y"):
        return noun[:-1] + "ies"
    return noun + "s"
