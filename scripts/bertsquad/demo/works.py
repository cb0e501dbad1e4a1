"""Entries about people, ships, books, museums, festivals and birds."""

from bertsquad.demo.kinds import After, Kind

PERSON = Kind(
    noun="person",
    name_class="person",
    by_surname=True,
    facts={
        "profession": "profession",
        "country": "country",
        "born": "year",
        "birthplace": "place",
        "died": After("born", 31, 88),
        "deathplace": "place",
        "teacher": "person",
        "spouse": "person",
        "instrument": "instrument",
        "children": "count",
        "prize": After("born", 22, 30),
    },
    opening=(
        "{name} was a {profession} from {country}.",
        "{name} is remembered as the best {profession} in {country}.",
        "Few people in {country} have not heard of the {profession} {name}.",
    ),
    statements=(
        (
            "{Subject} was born in {birthplace} in {born}, and died in {deathplace} in {died}.",
            "Born in {birthplace} in {born}, {subject} died in {deathplace} in {died}.",
            "{Its} birth, in {born}, was in {birthplace}; {its} death, in {died}, in {deathplace}.",
        ),
        (
            "{Subject} was born in {birthplace}.",
            "{Its} birthplace was {birthplace}, on the coast.",
            "The family lived in {birthplace}, where {subject} was born.",
        ),
        (
            "{Subject} was born in {born}.",
            "Born in {born}, {subject} was the youngest child.",
            "The birth of {subject}, in {born}, was during a war.",
        ),
        (
            "{Subject} died in {deathplace}.",
            "{Its} death in {deathplace} was sudden.",
            "After a short illness, {subject} died in {deathplace}.",
        ),
        (
            "{Subject} died in {died}.",
            "{Its} death, in {died}, was felt everywhere.",
            "When {subject} died, in {died}, the shops were closed.",
        ),
        (
            "{teacher} was {its} teacher.",
            "As a child {subject} was taught by {teacher}.",
            "{Subject} learned everything from {teacher}, a strict teacher.",
        ),
        (
            "{Subject} married {spouse} and had {children} children.",
            "With {spouse}, whom {subject} married young, there were {children} children.",
            "{Subject} and {spouse} were married and raised {children} children.",
        ),
        (
            "In the evenings {subject} played the {instrument}.",
            "{Subject} also played the {instrument}, though badly.",
            "Friends said that {its} {instrument} could be heard across the street.",
        ),
        (
            "{Subject} won the Royal Prize in {prize}.",
            "The Royal Prize of {prize} went to {subject}.",
            "In {prize} {subject} received the Royal Prize.",
        ),
    ),
    questions={
        "profession": ("What was {name}'s profession?", "What was the profession of {name}?"),
        "country": ("What country was {name} from?", "In which country is {name} remembered?"),
        "born": ("When was {name} born?", "In what year was {name} born?"),
        "birthplace": ("Where was {name} born?", "In which town was {name} born?"),
        "died": ("When did {name} die?", "In what year did {name} die?"),
        "deathplace": ("Where did {name} die?", "In which town did {name} die?"),
        "teacher": ("Who taught {name}?", "Who was {name}'s teacher?"),
        "spouse": ("Whom did {name} marry?", "Who was married to {name}?"),
        "instrument": (
            "Which instrument did {name} play?",
            "What did {name} play in the evenings?",
        ),
        "children": (
            "How many children did {name} have?",
            "How many children did {name} raise?",
        ),
        "prize": (
            "When did {name} win the Royal Prize?",
            "In what year did {name} receive the Royal Prize?",
        ),
    },
)

SHIP = Kind(
    noun="ship",
    name_class="emblem",
    written="the {name}",
    facts={
        "launched": "date",
        "yard": "place",
        "lost": After("launched", 2, 60),
        "captain": "person",
        "owner": "person",
        "port": "place",
        "cargo": "cargo",
        "crew": "count",
        "weight": "tonnes",
        "length": "metres",
    },
    opening=(
        "The {name} was a ship built in {yard}.",
        "The {name} was a sailing ship from the yards of {yard}.",
        "Built in {yard}, the {name} was a fast ship for its time.",
    ),
    statements=(
        (
            "It was launched on {launched}.",
            "{Its} launch, on {launched}, was watched by thousands.",
            "On {launched}, before a cheering crowd, {subject} was launched.",
        ),
        (
            "{Subject} sank in {lost}.",
            "It was lost in a storm in {lost}.",
            "In {lost} {subject} struck a reef and sank.",
        ),
        (
            "{Its} captain was {captain}, and the owner was {owner}.",
            "Captain {captain} sailed it for the owner, {owner}.",
            "The owner, {owner}, chose {captain} as captain.",
        ),
        (
            "{Its} captain was {captain}.",
            "Captain {captain} sailed it around the world.",
            "It was commanded by {captain}, a captain of the old school.",
        ),
        (
            "The owner was {owner}.",
            "{Subject} belonged to {owner}.",
            "It was owned by {owner}, who never went to sea.",
        ),
        (
            "It carried {cargo} to {port}, its home port.",
            "From its home port of {port}, {subject} carried {cargo}.",
            "{Its} home port was {port} and its usual cargo was {cargo}.",
        ),
        (
            "It carried {cargo}.",
            "{Its} usual cargo was {cargo}.",
            "{Subject} was loaded with {cargo} on every voyage.",
        ),
        (
            "There was a crew of {crew}.",
            "{crew} sailors made up the crew.",
            "{Subject} needed a crew of only {crew}.",
        ),
        (
            "{Subject} weighed {weight}.",
            "{Its} weight was {weight}.",
            "It displaced {weight}, which was much at the time.",
        ),
        (
            "It was {length} long.",
            "{Subject} measured {length} from end to end.",
            "{Its} length was {length}.",
        ),
        (
            "{Subject} weighed {weight} and was {length} long.",
            "With a weight of {weight}, it measured {length} in length.",
            "It was {length} long, and {weight} in weight.",
        ),
    ),
    questions={
        "launched": ("When was the {name} launched?", "On what date was the {name} launched?"),
        "yard": ("Where was the {name} built?", "In which town was the {name} built?"),
        "lost": ("When did the {name} sink?", "In what year was the {name} lost?"),
        "captain": ("Who was the captain of the {name}?", "Which captain sailed the {name}?"),
        "owner": ("Who owned the {name}?", "Who was the {name}'s owner?"),
        "port": ("What was the home port of the {name}?", "Which port did the {name} call home?"),
        "cargo": ("What did the {name} carry?", "What was the usual cargo of the {name}?"),
        "crew": ("How large was the {name}'s crew?", "How many sailors had the {name}?"),
        "weight": ("How much did the {name} weigh?", "What was the weight of the {name}?"),
        "length": ("How long was the {name}?", "What was the length of the {name}?"),
    },
)

BOOK = Kind(
    noun="novel",
    name_class="title",
    written="“{name}”",
    facts={
        "author": "person",
        "published": "year",
        "filmed": After("published", 8, 60),
        "translator": "person",
        "language": "language",
        "setting": "place",
        "hero": "profession",
        "chapters": "count",
        "publisher": "place",
    },
    opening=(
        "“{name}” is a novel by {author}.",
        "The novel “{name}” was written by {author}.",
        "{author} is best known for the novel “{name}”.",
    ),
    statements=(
        (
            "It was published in {published}, in {publisher}.",
            "A printer in {publisher} published it in {published}.",
            "In {published} it was published by a small firm in {publisher}.",
        ),
        (
            "A film was made of it in {filmed}.",
            "It was turned into a film in {filmed}.",
            "The film of {filmed} follows {subject} closely.",
        ),
        (
            "{translator} translated it into {language}.",
            "The translation into {language} is by {translator}.",
            "It was translated into {language} by {translator}.",
        ),
        (
            "The story is set in {setting}.",
            "{Subject} takes place in {setting}, in winter.",
            "{setting} is the setting of the story.",
        ),
        (
            "Its hero is a poor {hero}.",
            "{Subject} tells of a {hero} who loses everything but a dog.",
            "The main character, a {hero}, is never named.",
        ),
        (
            "It has {chapters} chapters.",
            "{Subject} is divided into {chapters} chapters.",
            "The {chapters} chapters can be read in any order.",
        ),
    ),
    questions={
        "author": ("Who wrote “{name}”?", "Who is the author of “{name}”?"),
        "published": ("When was “{name}” published?", "In what year was “{name}” published?"),
        "filmed": ("When was “{name}” filmed?", "In what year was a film made of “{name}”?"),
        "translator": ("Who translated “{name}”?", "Who was the translator of “{name}”?"),
        "language": (
            "Into which language was “{name}” translated?",
            "What is the language of the translation of “{name}”?",
        ),
        "setting": ("Where is “{name}” set?", "In which town does “{name}” take place?"),
        "hero": ("What is the hero of “{name}”?", "What is the main character's profession?"),
        "chapters": (
            "How many chapters does “{name}” have?",
            "Into how many chapters is “{name}” divided?",
        ),
        "publisher": (
            "Where was “{name}” published?",
            "In which town was “{name}” published?",
        ),
    },
)

MUSEUM = Kind(
    noun="museum",
    name_class="museum",
    written="the {name}",
    facts={
        "town": "place",
        "opened": "date",
        "founder": "person",
        "fire": After("opened", 5, 90),
        "director": "person",
        "subject_matter": "subject",
        "objects": "population",
        "rooms": "count",
        "former": "trade",
    },
    opening=(
        "The {name} is a museum in {town}.",
        "The {name} is a well-loved museum in the old part of {town}.",
        "Every child in {town} has visited the {name}, a museum near the square.",
    ),
    statements=(
        (
            "It was opened on {opened} by {founder}, its founder.",
            "{founder}, the founder, opened {subject} on {opened}.",
            "The founder was {founder}, and the doors opened on {opened}.",
        ),
        (
            "A fire damaged {subject} in {fire}.",
            "The roof burned in {fire}.",
            "After the fire of {fire} a new roof was needed.",
        ),
        (
            "{director} is the director.",
            "The present director is {director}.",
            "{Its} director, {director}, also leads the tours.",
        ),
        (
            "It is devoted to {subject_matter}.",
            "{Its} collection of {subject_matter} is the largest in the country.",
            "On show are old {subject_matter}, many of them broken.",
        ),
        (
            "It owns {objects} objects, shown in {rooms} rooms.",
            "The {rooms} rooms hold {objects} objects.",
            "In {rooms} rooms, {objects} objects are kept.",
        ),
        (
            "The building was once used to store {former}.",
            "It stands where {former} used to be sold.",
            "{Subject} occupies a former {former} market.",
        ),
    ),
    questions={
        "town": ("In which town is the {name}?", "Where is the {name}?"),
        "opened": ("When was the {name} opened?", "On what date did the {name} open?"),
        "founder": ("Who founded the {name}?", "Who was the founder of the {name}?"),
        "fire": ("When was the fire in the {name}?", "In what year did the {name} burn?"),
        "director": ("Who directs the {name}?", "Who is the director of the {name}?"),
        "subject_matter": ("What does the {name} collect?", "What can be seen in the {name}?"),
        "objects": ("How many objects does the {name} own?", "How many objects are in the {name}?"),
        "rooms": ("How many rooms does the {name} have?", "In how many rooms is it shown?"),
        "former": (
            "What was stored in the {name}'s building?",
            "What was sold where the {name} stands?",
        ),
    },
)

FESTIVAL = Kind(
    noun="festival",
    name_class="festival",
    written="the {name}",
    facts={
        "town": "place",
        "month": "month",
        "first": "year",
        "banned": After("first", 10, 80),
        "founder": "person",
        "winner": "person",
        "dish": "dish",
        "colour": "colour",
        "visitors": "population",
        "instrument": "instrument",
    },
    opening=(
        "The {name} is a festival held in {town} every {month}.",
        "The {name} is a festival that takes place each {month} in {town}.",
        "Each {month}, the festival called the {name} fills the streets of {town}.",
    ),
    statements=(
        (
            "It was first held in {first}, and banned for a while in {banned}.",
            "First held in {first}, it was banned in {banned} after a riot.",
            "Though banned in {banned}, it is as lively as when it was first held, in {first}.",
        ),
        (
            "It was first held in {first}.",
            "First held in {first}, it has hardly changed.",
            "{Subject} goes back to {first}, when it was first held.",
        ),
        (
            "It was banned for a while in {banned}.",
            "In {banned} a nervous bishop banned it.",
            "{Subject} was banned in {banned} after a riot.",
        ),
        (
            "{founder} founded {subject}.",
            "The founder was {founder}, a baker.",
            "It was founded by {founder} to amuse the poor.",
        ),
        (
            "Last year's race was won by {winner}.",
            "{winner} won the last race.",
            "The most recent winner of the race is {winner}.",
        ),
        (
            "Everyone eats {dish} and wears {colour} hats.",
            "The guests, all in {colour} hats, eat {dish}.",
            "It is the custom to wear a {colour} hat and to eat {dish}.",
        ),
        (
            "{Subject} draws {visitors} visitors.",
            "About {visitors} visitors come to it.",
            "Last time {visitors} visitors were counted.",
        ),
        (
            "Music is played on the {instrument}.",
            "A prize is given for the best player of the {instrument}.",
            "All night the {instrument} is played.",
        ),
    ),
    questions={
        "town": ("Where is the {name} held?", "In which town does the {name} take place?"),
        "month": ("In which month is the {name} held?", "When in the year is the {name}?"),
        "first": ("When was the {name} first held?", "In what year was the {name} first held?"),
        "banned": ("When was the {name} banned?", "In what year was the {name} banned?"),
        "founder": ("Who founded the {name}?", "Who was the founder of the {name}?"),
        "winner": ("Who won the race at the {name}?", "Who is the latest winner at the {name}?"),
        "dish": ("What is eaten at the {name}?", "What do guests of the {name} eat?"),
        "colour": (
            "What colour are the hats at the {name}?",
            "What colour do guests of the {name} wear?",
        ),
        "visitors": (
            "How many visitors come to the {name}?",
            "How many visitors does the {name} draw?",
        ),
        "instrument": (
            "Which instrument is played at the {name}?",
            "What instrument is heard at the {name}?",
        ),
    },
)

BIRD = Kind(
    noun="bird",
    name_class="bird",
    written="the {name}",
    facts={
        "country": "country",
        "habitat": "habitat",
        "food": "food",
        "colour": "colour",
        "beak": "colour",
        "weight": "grams",
        "eggs": "count",
        "describer": "person",
        "described": "year",
        "returned": After("described", 10, 130),
    },
    opening=(
        "The {name} is a bird found in {country}.",
        "The {name} is a shy bird from the {another_direction} of {country}.",
        "No bird of {country} is as rare as the {name}.",
    ),
    statements=(
        (
            "It lives in {habitat} and feeds on {food}.",
            "{Subject} feeds on {food}, which it finds in {habitat}.",
            "In the {habitat} where it lives, it eats mostly {food}.",
        ),
        (
            "Its feathers are {colour}, its beak is {beak}.",
            "The beak is {beak} and the feathers are {colour}.",
            "With its {colour} feathers and {beak} beak, it is easily recognised.",
        ),
        (
            "It lives in {habitat}.",
            "{Its} habitat is quiet {habitat}.",
            "Walkers sometimes see it in {habitat}.",
        ),
        (
            "{Its} feathers are {colour}.",
            "It is covered in {colour} feathers.",
            "In summer the feathers turn {colour}.",
        ),
        (
            "{Its} beak is {beak}.",
            "It has a long {beak} beak.",
            "The young have a {beak} beak.",
        ),
        (
            "An adult weighs about {weight}.",
            "{Subject} has a weight of {weight}.",
            "It weighs up to {weight} before the winter.",
        ),
        (
            "The female lays {eggs} eggs.",
            "{eggs} eggs are laid in spring.",
            "{Its} nest holds {eggs} eggs.",
        ),
        (
            "{describer} first described it in {described}.",
            "It was first described in {described} by {describer}.",
            "In {described}, {describer} described {subject} for the first time.",
        ),
        (
            "Thought to be extinct, it was seen again in {returned}.",
            "After many years it returned in {returned}.",
            "In {returned} a pair was seen again near {another_place}.",
        ),
    ),
    questions={
        "country": ("In which country is the {name} found?", "Where does the {name} live?"),
        "habitat": ("What is the habitat of the {name}?", "In what habitat does the {name} live?"),
        "food": ("What does the {name} eat?", "On what does the {name} feed?"),
        "colour": (
            "What colour are the {name}'s feathers?",
            "What is the colour of its feathers?",
        ),
        "beak": ("What colour is the beak of the {name}?", "What is the colour of its beak?"),
        "weight": ("How much does the {name} weigh?", "What is the weight of the {name}?"),
        "eggs": ("How many eggs does the {name} lay?", "How many eggs are in the {name}'s nest?"),
        "describer": ("Who first described the {name}?", "Who described the {name}?"),
        "described": (
            "When was the {name} first described?",
            "In what year was the {name} described?",
        ),
        "returned": (
            "When was the {name} seen again?",
            "In what year did the {name} return?",
        ),
    },
)

WORKS = (PERSON, SHIP, BOOK, MUSEUM, FESTIVAL, BIRD)
