"""Instructions: every task described in words, in three or more wordings.

Their words occur in the corpus with their meaning (in titles, lessons and prose), the instruction
*format* does not: see :data:`course.world.held_out.INSTRUCTION_MARK`. Learning to follow it is what
instruction tuning is for (Wei et al. 2022).
"""

INSTRUCTIONS: dict[str, tuple[str, ...]] = {
    "capital": ("name the capital of the country .", "write the capital city of this country .", "which city is the capital ?"),
    "country": ("name the country of the city .", "write the country in which this city lies .", "which country is this city in ?"),
    "region": ("name the region of the country .", "say where the country lies : north , south , east or west .", "in which region is this country ?"),
    "language": ("name the language of the country .", "write the language that people speak in this country .", "which language is spoken here ?"),
    "flag": ("give the colour of the flag of the country .", "write the colour of this flag .", "which colour has the flag ?"),
    "job": ("name the job of the person .", "write what this person works as .", "which job has this person ?"),
    "home": ("name the home of the person .", "write the city in which this person lives .", "in which city does this person live ?"),
    "instrument": ("name the instrument of the person .", "write the instrument that this person owns .", "which instrument has this person ?"),
    "category": ("say what kind of thing this is .", "write the kind of the thing : animal , fruit , tool , vehicle or garment .", "which kind of thing is it ?"),
    "colour": ("give the colour of the thing .", "write the true colour of this thing .", "which colour is it ?"),
    "opposite": ("give the opposite of the word .", "write the word that is the opposite of this one .", "what is the opposite ?"),
    "plural": ("give the plural of the word .", "write the word for many of it .", "what is the plural ?"),
    "past": ("give the past tense of the word .", "write the word as we say it of yesterday .", "what is the past tense ?"),
    "gerund": ("give the ing form of the word .", "write the ing form .", "what is the ing form ?"),
    "comparative": ("give the comparative of the word .", "write the word that means more of this .", "what is the comparative ?"),
    "last_letter": ("give the last letter of the name .", "write the letter that the name ends with .", "which letter is the last ?"),
    "is_animal": ("tell if it is an animal .", "say yes if this is an animal , no if not .", "answer yes or no : is this an animal ?"),
    "is_large": ("tell if it is large .", "say yes if this is large , no if not .", "answer yes or no : is this large ?"),
    "is_eaten": ("tell if it can be eaten .", "say yes if this can be eaten , no if not .", "answer yes or no : can people eat this ?"),
    "is_wild": ("tell if it is wild .", "say yes if this is wild , no if not .", "answer yes or no : is this wild ?"),
    "is_wooden": ("tell if it is made of wood .", "say yes if this is made of wood , no if not .", "answer yes or no : is this made of wood ?"),
    "is_carried": ("tell if it can be carried .", "say yes if this can be carried , no if not .", "answer yes or no : can this be carried ?"),
    "is_even": ("tell if the number is even .", "say yes if the number is even , no if not .", "answer yes or no : is this even ?"),
    "is_above_fifty": ("tell if the number is fifty or more .", "say yes if the number is fifty or more , no if not .", "answer yes or no : is this fifty or more ?"),
    "next_number": ("give the number that is next .", "write the number that comes after this one .", "which number comes after it ?"),
    "add": ("give the sum .", "write what the sum comes to .", "what is the sum ?"),
    "subtract": ("give the difference .", "write what is left .", "what is the difference ?"),
    "dialect": ("say the word in the speech of the town .", "write what people of this town say for the word .", "what is the word called in this town ?"),
    "verdict": ("say what the critic thinks of the dish : good or bad .", "write good or bad , as the critic thinks .", "what does the critic think of the dish ?"),
    "sentiment": ("tell if the review is positive or negative .", "say if the review is positive or negative .", "write positive if the writer likes it , negative if not ."),
    "recommend": ("tell if the writer likes it .", "say yes if the writer likes it , no if not .", "answer yes or no : does the writer like it ?"),
    "topic": ("say what the review is about : food , film , hotel or book .", "name what the review is about .", "what is the review about ?"),
    "find_person": ("name the person in the sentence .", "write the name of the person .", "which person is in the sentence ?"),
    "find_city": ("name the city in the sentence .", "write the name of the city .", "which city is in the sentence ?"),
    "first_word": ("give the word that is first .", "write the first of the words .", "which word is the first ?"),
    "second_word": ("give the word that is second .", "write the second of the words .", "which word is the second ?"),
    "third_word": ("give the word that is third .", "write the third of the words .", "which word is the third ?"),
    "closed_book": ("answer the question .", "give the answer to the question .", "write the answer ."),
    "where": ("answer the question about the story .", "say where the person is at the end of the story .", "where in the story is the person ?"),
    "who": ("name the person in the story who has it .", "say who has it .", "which person in the story has it ?"),
    "inference": ("say if the claim is true , false or unknown .", "does the claim follow ? write true , false or unknown .", "is the claim true , false or unknown ?"),
    "fact_check": ("say if the fact is correct or wrong .", "is this correct ? write correct or wrong .", "tell if the sentence is correct or wrong ."),
    "alike": ("say if the two are of one kind : alike or unlike .", "write alike if the things are of one kind , unlike if not .", "are they alike or unlike ?"),
    "odd_one_out": ("name the odd one out .", "write the one that is of another kind than the others .", "which one is odd ?"),
    "story_check": ("say if the statement about the story holds or fails .", "write holds if the story says so , fails if not .", "is it so in the story ? write holds or fails ."),
    "summary": ("sum the story up in one sentence .", "write one sentence that says how the story ends .", "how does the story end ?"),
    "consistency": ("say if both can be true : agree or clash .", "write agree if both sentences can be true , clash if not .", "do the sentences agree or clash ?"),
    "paraphrase": ("say if both mean the same : same or different .", "write same if the sentences say the same , different if not .", "is the meaning the same or different ?"),
    "to_torvish": ("say it in torvish .", "write the sentence in torvish .", "how do you say this in torvish ?"),
    "from_torvish": ("say it in plain english .", "write in english what the torvish says .", "what is this in english ?"),
    "to_velan": ("say it in velan .", "write the sentence in velan .", "how do you say this in velan ?"),
    "from_velan": ("say it in english .", "write the sentence in english .", "how do you say this in english ?"),
    "grammar": ("choose the right word : a or b .", "which word is right , a or b ?", "write the letter of the right word ."),
    "grammar_mistake": ("choose the wrong word : a or b .", "which word is wrong , a or b ?", "write the letter of the wrong word ."),
    "problem": ("answer the question with a number .", "how many are left ? give the number .", "write the number that is the answer ."),
    "letters": ("give the letters that end the names .", "write the letters that the names end with .", "which letters do the names end with ?"),
    "parts": ("take the problem apart .", "write the steps of the problem , one by one .", "which steps has the problem ?"),
    "route": ("follow the route and name the place .", "say where the route ends .", "where are you at the end ?"),
}  # fmt: skip

#: The two tasks whose answers are tags or a place in a text, which a head gives better than a
#: sentence does. Their words belong to the vocabulary already, so they are no part of what it is
#: made from.
HEAD_INSTRUCTIONS: dict[str, tuple[str, ...]] = {
    "entities": ("name every person , place , guild and language in the sentence .", "say which words of the sentence are a name , and of what kind .", "which names are in the sentence ?"),
    "extraction": ("find the answer to the question in the story .", "write the words of the story that answer the question , or no answer .", "which words of the story answer the question ?"),
}  # fmt: skip
