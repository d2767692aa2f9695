import { phrases, type Rule, type RuleText } from './rule';

const codeRequest = phrases(
  'python*, javascript, typescript, java, c++, c#, golang, kotlin, php, perl, haskell, scala, matlab',
  'numpy, pandas, django, flask, vue, angular, node js, nodejs, html, css, sql, bash, powershell',
  'shell script, regex*, regular expression*, dockerfile, docker, kubernetes, terraform, git, github',
  'yaml, json, xml, csv, api, endpoint, sdk, cli, source code, code review, unit test*, test case*',
  'pytest, stack trace, stacktrace, traceback, segfault, null pointer, syntax error, compiler',
  'compile*, debug*, refactor*, codebase, pseudocode, programming, algorithm, data structure*',
  'linked list, binary tree, binary search, hash map, hashmap, recursi*, big o, time complexity',
  'time complexities, tuple*, boolean, integer array, array*, substring*, string*, dataframe*, lambda',
  'dict, iterator, async, mutex, backend, frontend, web app, webpage, database schema, sqlite',
  'postgres*, mysql, mongodb, redis, opencv, tensorflow, pytorch, verilog, assembly, arduino, latex',
  'vba, macro, unicode, utf*, datetime, timestamp*, url*, http*, filename*, stdin, stdout',
  'command line, func, params, param, react component*, react app*, react hook*, react native',
  'in react, in rust, rust code, rust program*, threads, threading, multithread*, dictionaries',
  'build a website, create a website, make a website',
);
const codeVerb = phrases(
  'write code, write a code, write some code, fix the bug, fix this bug, fix my code, this code',
  'the code, my code, code that, code to, code for, code snippet, snippet, code golf, a function',
  'function to, function that, the function, this function, functions that, function which, a script',
  'script that, script to, write a program, a program that, a program to, program which, implement a',
  'implement an, implement the, a class that, a class to, class named, a method, the method',
  'nested lists, a list of integers, list of lists, given list, a given list, list comprehension',
  'in the given list, given number, of a given, base class, subclass, decorator, object oriented',
);
/** Documentation of code: a bare imperative about values, as in a doc comment. */
const docComment = phrases(
  '^returns*, ^return the, ^return a, ^return an, ^return true, ^convert a, ^converts, ^parse*',
  '^helper*, ^check if, ^checks if, ^checks whether, ^check whether, ^iterate*, ^serialize*',
  '^deserialize*, ^initialize*, ^instantiate*, ^load a, ^loads, ^wrapper*, ^gets, ^sets, ^reads',
  '^writes, ^computes, ^generator*, ^decode*, ^encode*, ^override*, ^callback*, ^read a, ^get the',
);

const asksForNumber = phrases(
  'how many, how much, how far, how long, how old, how tall, what is the, what was the, what percent*',
  'what fraction, find the, calculate*, determine',
);
const mathsRequest = phrases(
  'prove that, prove, proof, disprove, derive, derivative, integral, integrate, equation*',
  'polynomial*, theorem, probability, expected value, permutation*, combinatori*, matrix, matrices',
  'eigenvalue*, vector space, modulo, remainder when, divisible by, prime number*, prime factor*',
  'solve for, solve the, solve this, calculate the, compute the, evaluate the, hypotenuse, triangle*',
  'perimeter, circumference, logarithm*, sin, cos, real numbers, positive integer*',
  'integers such that, square root, arithmetic, geometric, quadratic, differential, inequality, lim',
  'sum of the, subset, bijection, group theory, topolog*, manifold*, frac, sqrt, mathbb, mathcal, x y',
  'x x, let f, f x, x 2',
);
const logicRequest = phrases(
  'tells the truth, tell the truth, always lies, who is lying, says that, logic puzzle, riddle',
  'puzzle, brain teaser, who is the tallest, taller than, older than, younger than, to the left of',
  'to the right of, left of, who finished, finished first, finished second, finished last',
  'finished above, finished below, swap*, switch partners, yesterday was, tomorrow is, days ago',
  'what is the date, a set of three, logically consistent, which option, if all, can we conclude',
  'does it follow, knights and knaves',
);
const analysisRequest = phrases(
  'step by step, think carefully, reason through, reason about, analyze, analyse, root cause',
  'trade offs, tradeoffs, trade off, pros and cons, weigh, work out, figure out why, diagnose',
  'strategy for, decide between, which is better, optimal, optimize, optimise, estimate how',
  'how would you estimate, back of the envelope, hypothes*, infer, deduce',
);
const talksOfThings = phrases(
  'each, every, per, total, altogether, left, remaining, twice, half, times as, more than, less than',
  'fewer than, dozen, percent, cost*, sold, sells, buys, bought, spend*, spent, earn*, pay*, gave',
  'gives, has, had, hours, minutes, miles, speed',
);

const queryVerb = phrases(
  '^show, ^list, ^find the name*, ^find all, ^find the number*, ^find the id*, ^find name*, ^count',
  '^give me the, ^give the, ^display, ^return all, ^name the, ^name all, ^which of my, ^how many',
  '^what is the number, ^what are the, ^what is the total, ^what is the average, ^what is the maximum',
  '^what is the minimum, ^what is the name, ^please show, ^who is the, ^who teaches, ^what was the',
  '^what were the, ^tell me the, ^find, ^when is my, ^what is my, ^where is my, ^do i have, ^look up',
  '^search for, ^whats the, ^which, ^what is the, ^in what, ^in which, ^on which, ^what year',
  '^at what, ^for each, ^for all, ^for the',
);
const queryShape = phrases(
  'how many, number of, total number, total of, average, maximum, minimum, the highest, the lowest',
  'the largest, the smallest, the most, the least, the fewest, at least, at most, more than',
  'less than, greater than, older than, higher than, lower than, over, for each, of each, for all',
  'of all, all the, and their, sorted by, order by, ordered by, ascending, descending, alphabetical*',
  'grouped by, distinct, different, whose, that have, who have, which have, that has, with the',
  'with a, do not have, does not have, that are not, never, names of, name of, ids of, id of',
  'first name*, last name*, columns, rows, table, record*, database, column, score, opponent',
  'attendance, venue, season, points, rank, when the, year*, date, listed, player*, team, school',
  'country, countries, cities, city, students, employees, customers, products, orders, airport*',
  'flights',
);
const ownData = phrases(
  'my files, my notes, my calendar, my tasks, my documents, my messages, my emails, my orders',
  'my project*, our customers, our sales, our orders, our team, in the table, in the database',
  'in the spreadsheet, in our data, in the logs, credits, prerequisite*, prereq*, course*, class',
  'classes, semester, professor, instructor, lecture*, enroll*, syllabus',
);
const asksAboutOwnData = phrases(
  '^is, ^are, ^who, ^what, ^whats, ^which, ^when, ^where, ^how, ^do, ^does, ^can i, ^have, ^show',
  '^list, ^find, ^give, ^name, ^tell me, ^could i, ^am i, ^will, ^has, ^should i, ^of',
);

const prose = phrases(
  'poem, story, essay, blog, email, e mail, letter, song, lyrics, haiku, speech, article, paragraph',
  'tweet, slogan, recipe*, dialogue, novel, screenplay, limerick, character, translate, rewrite',
  'rephrase, summarize, summarise, summary, imagine you, pretend, act as, role play, roleplay, review',
  'headline, caption, joke*, advice, sentence*, words that, synonym*, ideas for, suggest*, recommend*',
  'explain, describe, what happens, how do i, how can i, how to, why',
);
const probe = phrases(
  '^ping, ^test, ^testing, ^are you working, ^say ok, ^say yes, ^reply with ok, ^answer with one word',
  '^are you alive',
);
const shortFact = phrases(
  'capital of, what time is it, what day is it, what is todays date, how do you spell, how do you say',
  'opposite of, plural of, synonym for, currency of, stand for, stands for',
);

const WORD_PROBLEM_WORDS = 18;

function isWordProblem(text: RuleText): boolean {
  return (
    text.wordCount >= WORD_PROBLEM_WORDS &&
    text.numberCount >= 2 &&
    asksForNumber(text) &&
    talksOfThings(text)
  );
}

/** In the order tried. */
export const ENGLISH_RULES: readonly Rule[] = [
  { name: 'probe', category: 'fast', test: (text) => text.wordCount <= 4 && probe(text) },
  { name: 'word-problem', category: 'reasoning', test: isWordProblem },
  {
    name: 'logic',
    category: 'reasoning',
    test: (text) => text.wordCount >= 12 && logicRequest(text) && !codeRequest(text),
  },
  {
    name: 'maths',
    category: 'reasoning',
    test: (text) => mathsRequest(text) && !codeRequest(text) && !codeVerb(text),
  },
  { name: 'code-request', category: 'coding', test: (text) => codeRequest(text) || codeVerb(text) },
  {
    name: 'code-documentation',
    category: 'coding',
    test: (text) => docComment(text) && !text.excerpt.includes('?'),
  },
  { name: 'short-fact', category: 'fast', test: (text) => text.wordCount <= 8 && shortFact(text) },
  {
    name: 'own-data',
    category: 'data_question',
    test: (text) => text.wordCount <= 40 && ownData(text) && asksAboutOwnData(text) && !prose(text),
  },
  {
    name: 'data-query',
    category: 'data_question',
    test: (text) => text.wordCount <= 45 && queryVerb(text) && queryShape(text) && !prose(text),
  },
  { name: 'analysis', category: 'reasoning', test: analysisRequest },
];
