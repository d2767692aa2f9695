"""English small talk, one list of templates for each kind.

`[a|b|]` stands for one of the alternatives, here "a", "b" or nothing. Groups do not nest.
"""

PHRASES: dict[str, list[str]] = {
    "greet": [
        "[hi|hello|hey|hiya|heya|howdy|yo|greetings|hallo|sup|ahoy]",
        "[hi|hello|hey|hiya] [there|friend|buddy|pal|mate|everyone|again|you|computer|my friend|little one]",
        "[hi|hello|hey|howdy|greetings|yo] tandem",
        "[good|a good|a very good|what a lovely] [morning|afternoon|evening|day]",
        "good [morning|afternoon|evening|day] [tandem|to you too|everyone|my friend|from rainy london]",
        "[nice|good|lovely|great|happy|pleased|glad] to [meet|know|find] you[| tandem| at last| again]",
        "[hi|hello|hey] [i am|i'm|this is|my name is|it's] [anna|max|olga|peter|sam|lena|new here|back"
            "|here|me|the new user]",
        "[i am|i'm] [back|here|back again|ready|online|new here|awake|here for the first time]",
        "[is anyone|is anybody|is somebody|anybody|anyone|is someone] [there|here|home|around|listening"
            "|awake]",
        "are you [there|here|awake|listening|up|around|ready|with me|working|running|on]",
        "[do you|can you] [hear|read|see] me[| now| okay]",
        "[just|only] [saying|wanted to say|came to say|dropped in to say|here to say] [hi|hello|hey]",
        "[let's|let us|shall we] [start|begin|talk|chat|get started|have a chat]",
        "[can we|could we|want to|wanna] [talk|chat|have a chat|talk a bit]",
        "[this is|just|only|it's] [a test|testing|a first test|a quick test|a test message]",
        "[test|testing|ping|hello world|testing testing|test one two|one two three|mic check|check check]",
        "[i just|just|i have just|i've just] [installed|downloaded|set up|opened|started|launched] [you"
            "|this|it|tandem|the app]",
        "[is this|is it|is that] [thing|app|chat] [on|working|alive|running]",
        "[my first|first] [message|time here|launch|try]",
        "[what's up|what is new|whats new|wassup|long time no see|look who is here|here we are|welcome"
            "|welcome back]",
        "[knock knock|tap tap|peekaboo|hey hey|hi hi|hello hello|hey ho]",
    ],
    "who": [
        "who are you[| exactly| really| again| anyway| then]",
        "[so|and|well|but] who are you",
        "[what is|what's|whats|tell me|say|give me|may i know|can i know|remind me] your name[| please"
            "| again]",
        "[your name|name|and your name is|and you are|you are who]",
        "do you have a [name|proper name|real name|nickname]",
        "[what|how] [should|do|can|may|shall] [i|we|people] call you",
        "[what do|how do] [your friends|they|people|others|users] call you",
        "who am i [talking|speaking|chatting|writing] [to|with][| now| right now| here]",
        "who is [this|it|there|that|speaking|writing|answering|talking|replying][| to me| please]",
        "[introduce|present|describe] yourself[| please| to me| briefly]",
        "[please|could you|can you|would you] introduce yourself",
        "[tell me|say|share] [something|a bit|a little|a few words|more] about yourself",
        "[tell me about|talk about|speak about] yourself",
        "[what|which] [model|language model|llm|ai model|ai|neural network] [are you|is this|is that"
            "|am i using|is answering|is speaking|is running|do you use]",
        "what [kind|sort] of [model|ai|assistant|thing|program] are you",
        "are you [gpt|chatgpt|llama|claude|siri|alexa|gemini|mistral|qwen|phi|copilot|tandem"
            "|the starter model|a big model]",
        "is this [gpt|chatgpt|llama|claude|siri|gemini|tandem|qwen]",
        "who [made|built|created|wrote|trained|designed|invented] you",
        "where [do you come|are you] from",
        "how [big|small|old|large|clever] are you",
        "what version are you",
        "how many parameters do you have",
        "[may i|can i|could i] ask [who you are|your name|who is speaking|who i am talking to]",
        "what are you[| exactly| really| then| anyway]",
        "i [don't know|do not know|wonder|want to know|would like to know] [who you are|your name"
            "|what you are|what to call you]",
        "[let us|let's] get acquainted",
    ],
    "about": [
        "what is [tandem|this app|this program|this tool|this application|this thing|this software"
            "|tandem exactly]",
        "what's [tandem|this app|this program|this tool|this thing|this software|this icon in my menubar]",
        "what does [tandem|this app|this program|this tool|it|this thing|this software|the app] do["
            "| exactly| actually]",
        "what is [this app|tandem|this program|all this|this thing|it] [for|about|good for|meant for]",
        "what's [tandem|this app|this program|all this] [for|about|good for|all about]",
        "[tell me|explain|say something|give me a summary|talk] about [tandem|this app|the app"
            "|this program|this tool]",
        "tell me [more|a bit|something|everything] about [tandem|this app|the app|this program"
            "|this application]",
        "[please|could you|can you] [explain|describe|introduce|present] [tandem|this app|the app"
            "|this program]",
        "explain [tandem|this app|the program] [in one sentence|briefly|in simple words|in short|to me"
            "|to a beginner]",
        "[describe|introduce|present|summarise|summarize] [tandem|this app|the app|this program]["
            "| in a few words| briefly| for me]",
        "why [do i need|would i use|should i use|should i keep|did they make] [tandem|this app"
            "|this program|this tool]",
        "what [kind|sort] of [app|program|application|tool] is [this|it|tandem]",
        "what [is|was] the [idea|point|purpose|goal|use|aim] of [tandem|this app|this program|it all]",
        "what did i [just install|install|download|open|launch]",
        "what am i [looking at|running here|using]",
        "[i don't|i do not] [understand|get|know] what [this app|tandem|this program|this] [is|does|is for]",
        "[the short|the long|a short|a simple] [version|description|explanation] of [tandem|the app] please",
        "what is the app in my [menubar|menu bar]",
        "who needs [tandem|this app|such an app]",
        "[tandem what is it|what is it|what is this|what's this]",
        "where [am i|did i land]",
    ],
    "can": [
        "what can you do[| for me| here| exactly| at all| right now| already]",
        "what [are you able to|could you|do you|else can you|can you already] do",
        "[tell|show] me what you can do",
        "what [are|is] your [skills|abilities|features|capabilities|talents|functions|job|role|purpose"
            "|strong side]",
        "[list|show|name|tell me] your [skills|abilities|features|capabilities|functions]",
        "how can you [help|help me|be useful|assist|assist me|be of help|serve me]",
        "how [could|do|would|will] you help[| me| us]",
        "[can|could|will|would] you help[| me][| please| out| a bit| today| with something]",
        "[help|help me|help please|i need help|i need some help|i need your help|please help"
            "|a little help please|need a hand]",
        "what [can|should|may|could|shall] i [ask|ask you|ask about|ask here|write here|type here"
            "|say to you]",
        "what [questions|requests|things|tasks|commands] [can|do|will] you [answer|take|understand|handle"
            "|know|do]",
        "what [do you know|do you know how to do|are you good at|are you here for|are you for"
            "|are you capable of]",
        "how [do i|can i|should i|does one] use [you|this|this app|tandem|it]",
        "how [does it work|do you work|does this work|do i start|do i begin|to use this|to start|to begin]",
        "[where|how] [do i start|should i start|do i begin|can i start]",
        "[show|give] me [around|the menu|the help|some examples|a tour|the commands|instructions]",
        "[commands|usage|menu|options|manual|instructions|features|tutorial|guide|faq]",
        "[are you|are you any|will you be] [useful|helpful|of use|good for anything]",
        "why are you here",
        "what are your [limits|limitations|weak points]",
        "is there [anything|something] you can do[| for me]",
        "[what|which] [services|help] do you offer",
    ],
    "works": [
        "why [two|both|2|are there two|do you need two|do you use two|have two|does it need two] [servers"
            "|engines|backends|programs]",
        "why [both|do you need both|do you use both|use both|not just one of] mlx and ollama",
        "why [mlx|ollama|do you need mlx|do you need ollama|not only ollama|not only mlx|not just mlx"
            "|is ollama needed]",
        "what is [mlx|ollama|an mlx server|the mlx server|mlx for|ollama for]",
        "what's [mlx|ollama|the difference between mlx and ollama|mlx for|ollama for]",
        "what is the difference between [mlx and ollama|ollama and mlx|the two|the two servers|the engines]",
        "[how|in what way] [do|are] mlx and ollama [differ|different|compare|share the work|work together]",
        "mlx [or|vs|versus|against] ollama",
        "ollama [or|vs|versus] mlx",
        "which [one|server|engine|backend] is [better|faster|heavier|lighter|steadier|more stable]",
        "which [one|server|engine|backend] [answers|answered|do you use|will answer|takes code"
            "|takes heavy requests|is used for what]",
        "[how|on what grounds] do you [choose|decide|route|pick|select] [the server|a server|between them"
            "|who answers|which server to use|a backend|requests|where a request goes]",
        "[when|for what] do you use [mlx|ollama|each of them|each server]",
        "what [runs|goes|works|is done] on [mlx|ollama|each server]",
        "[what|which requests] do you send to [mlx|ollama]",
        "what [if|will happen if|happens if|do you do if] [mlx|ollama|a server|the mlx server|one of them]"
            " [crashes|dies|falls over|stops|goes down|hangs|fails|runs out of memory]",
        "[mlx|the mlx server] [crashed|died|is down|stopped|fell over|keeps crashing], what now",
        "why does mlx [crash|die|stop|run out of memory|fall over|take only light requests"
            "|get only the light work]",
        "[is|will] mlx [fast|stable|light|be restarted]",
        "[is ollama|why is ollama] [slow|slower|steady|heavy|stable]",
        "[how does routing work|explain the routing|explain routing to me|how are requests routed"
            "|how do the servers share the work]",
        "[light|heavy] [requests|work|models] [go|goes|run] where",
        "what does [mlx|ollama] do[| here| for me]",
        "[explain|tell me about] [mlx|ollama|mlx and ollama|the two servers|your servers]",
    ],
    "bigger": [
        "how [do i|can i|to|should i|could i|does one] [add|install|download|get|pull|set up|load|connect"
            "|enable] [a bigger|a larger|another|a better|a smarter|a stronger|a new|a big|a real|one more]"
            " model[| here| please]",
        "[where|how] [do i|can i] [find|get|download|pull|choose|change|switch|pick] [models|a model"
            "|the model|other models|more models|bigger models]",
        "[i want|i need|i would like|i'd like|give me|get me|let me have|add|install|download|pull]"
            " [a bigger|a larger|a better|a smarter|another|a stronger|a more capable|a new] model[| please"
            "| now]",
        "i [want|need|would like] to [install|add|download|pull|use|try|run|get] [a bigger model"
            "|another model|a larger model|a better model|a real model|a 7b model|a 32b model|more models]",
        "[how do i|how can i|how to|i want to|can i|could i|may i] [install|add|download|pull|run|use|get"
            "|set up] [llama|mistral|qwen|gemma|phi|deepseek|qwen coder|llama 3|a llama model|gpt oss]",
        "[can|could|may] i [add|install|download|use|pull] [another model|other models|my own model"
            "|my own models|a bigger model|bigger models|more models]",
        "[which|what] [models|model] [can i|should i|could i|do i] [install|add|download|use|run|pull"
            "|choose|get][| here| on this machine]",
        "[which|what] [models|model] [fit|fits|suit|suits|would fit|will fit|do you recommend for|run on]"
            " [this machine|my mac|this computer|my computer|my memory]",
        "[what|which] models [are there|are available|are installed|do you have|do you support|do you know"
            "|can you run]",
        "[is there|do you have|have you got] [a bigger|a better|a smarter|another|a larger] [model|one"
            "|version][| of you]",
        "[how|where] do i [upgrade|change|switch|replace] [you|the model|this model|to another model]",
        "[can you be|how can i make you|make yourself|how do i make you] [smarter|bigger|cleverer"
            "|more capable|better]",
        "[you are too small|you are too weak|this model is too small"
            "|this model is too weak], [how do i get a bigger one|give me another|what else is there"
            "|is there a better one]",
        "[change|switch|upgrade|replace] the model[| please]",
        "[bigger|better|another|larger|smarter] model[| please]",
        "[ollama pull|how to use ollama pull|how do i pull with ollama|pull a model with ollama"
            "|download a model through ollama]",
        "what do i need [for|to do|to get|to have] [real work|a bigger model|good answers|better answers"
            "|code]",
        "[where|how] do i get [better|smarter|longer] answers",
    ],
    "privacy": [
        "[is it|is this|are you|is the app|is tandem|is this chat] [private|safe|secure|confidential|local"
            "|offline]",
        "[do you|does it|does this app|does tandem|will you|will it] [send|share|upload|transmit|leak|sell"
            "|give away] [my data|my messages|my text|my chats|what i write|anything|my words|my files]["
            "| anywhere| to anyone| to the internet| to the cloud| to a server]",
        "[do you|does it|does tandem|does this app] [store|save|keep|record|log|remember|collect] [my data"
            "|my messages|my text|my chats|what i write|anything|everything i say]",
        "where [does|do|is|are] [my data|my messages|my text|my chats|my words|the data] [go|stored|kept"
            "|saved|end up|sent]",
        "[who|who else|can anyone|can anybody|can someone|does anyone|can others] [can see|can read|reads"
            "|sees|read|see] [my messages|my chats|this chat|this|what i write|my data|my text]",
        "[do you|does it|does tandem|does this app|will it] [work|run|function] [offline|without internet"
            "|without the internet|without a network|without wifi|on a plane|locally]",
        "[do you|does tandem|does it|does this app] [need|use|require] [the internet|internet|the cloud"
            "|a cloud|a network|an account|a connection|wifi]",
        "[are you|is it|are you running|is this running|does it run] [in the cloud|on my machine|on my mac"
            "|on a remote server|on this computer|local|locally|online]",
        "[is|are] my [data|messages|chats|words|secrets|texts|notes] [safe|private|secure|safe with you"
            "|safe here|kept here|encrypted]",
        "[can i|may i|should i] [trust you|tell you a secret|write secrets here|paste private text"
            "|trust you with my data|trust this app]",
        "[are you|is anyone|is somebody|is someone|is the app] [spying on me|watching me|listening to me"
            "|reading this|tracking me|reading my messages]",
        "[what about|tell me about|how about|and|explain your] [privacy|my privacy|security|my data"
            "|confidentiality|data protection]",
        "[privacy|privacy policy|data policy|telemetry|security|do you have telemetry|is there telemetry]",
        "does [my data|my text|anything i write|anything] leave [this machine|my computer|my mac"
            "|the machine|this room]",
        "[does|do] [my messages|this|my chats|my questions] stay [here|local|private|on this machine"
            "|on my computer|between us]",
        "are you connected to the [internet|cloud|network|web]",
    ],
    "thanks": [
        "[thanks|thank you|thx|ty|tnx|cheers|thank u|many thanks|thanks a lot|thanks a bunch"
            "|thanks a million|thankyou|thnx]",
        "[thanks|thank you|thx|cheers|many thanks] [tandem|friend|buddy|mate|pal|again|very much"
            "|so very much|ever so much|kindly|a lot|a whole lot|for everything|for your kind help"
            "|for your time|for all the help|for helping|for helping me out|for the answer|for the explanation"
            "|for this]",
        "[that was|this was|that's|it was|that is] [helpful|very helpful|useful|really helpful|very useful"
            "|so helpful], [thanks|thank you|cheers|ty]",
        "[great|perfect|good|wonderful|ok|okay|nice|excellent|super], [thanks|thank you|many thanks|thx]",
        "[i am very|i am so|i am really|i am most] [grateful|thankful|obliged][| to you]",
        "[i really|i do|we really|i truly] appreciate [it|that|your help|this|the help|what you did]",
        "[that helped|you helped|you really helped|it helped|you have helped me|that helped me][| a lot"
            "| so much| very much], [thanks|thank you|thx]",
        "[i want to|i would like to|i just want to|let me just] [thank you|say thanks|say thank you]",
        "[you saved me|you saved my day|you have saved me|you are a lifesaver|i owe you one"
            "|thanks you saved me|what would i do without you]",
        "[no|nothing else|that is all|that's all|all done], [thanks|thank you|thank you very much]",
        "[much appreciated|with thanks|thanks in advance|thank you in advance|my thanks|a thousand thanks"
            "|thanks thanks]",
    ],
    "bye": [
        "[bye|goodbye|bye bye|see you|see ya|farewell|good bye|cya|later|ciao|so long|adieu|ta ta|cheerio]",
        "[bye|goodbye|see you|farewell|good night|bye bye|so long] [tandem|friend|for now|then|my friend"
            "|mate|and thanks|and thank you|and good luck]",
        "[see you|speak to you|write to you|see ya] [later|soon|tomorrow|again|next time|next week|around"
            "|on monday|in the morning|tonight]",
        "[good night|night|nighty night|sleep well|sweet dreams|have a good night|have a nice evening"
            "|have a pleasant day|have a fine day|have a great weekend|have a good one|take care"
            "|take care of yourself|all the best|good luck]",
        "[i have to|i must|i really need to|i gotta|gotta|i should|time to|i am off to|i'm going to|i'll]"
            " [go|go now|leave|leave now|run|go to bed|sleep|head out|get going|be off|go home]",
        "[i am|i'm] [off|leaving|going|going now|going home|done for today|out|logging off|heading out"
            "|leaving now]",
        "[that is all|that's all|enough|that's enough|we are done|i am done|that will be all|i'm finished]"
            " [for today|for now|thanks bye|bye then|see you]",
        "[thanks|many thanks|ok|okay|great|alright|well], [bye|goodbye|see you|see you later|good night"
            "|bye for now|i am off|talk later]",
        "[until|till] [tomorrow|next time|later|we meet again|monday|then]",
        "[signing off|over and out|closing the laptop now|shutting down now|time for bed"
            "|it is late good night|i will be back|i'll be back later|be right back|brb|gtg|ttyl]",
    ],
    "how": [
        "how are you [doing today|doing tonight|feeling|this fine morning|tonight|really|my friend|tandem"
            "|these days|then|getting along]",
        "how [are things|is it going|is everything|is life|goes it|do you do|is your day so far"
            "|was your day|was your night|is work|have you been lately|are you getting on"
            "|are you feeling today|do you feel now]",
        "how's [it going today|your life|everything with you|your day|your mood|work|things|it all going]",
        "[what is|what's] your mood[| today| like]",
        "[are you|you] [ok|quite okay|well|fine|all right|alright|happy|tired|busy|bored|sad|feeling well"
            "|having a good day]",
        "[is everything|everything|all] [ok|okay|fine|good|well|all right|alright][| with you| there| today]",
        "[and|and how are|what about|how about] you",
        "[hope|i hope] you are [well|fine|doing well|ok]",
        "[good morning|hey tandem|hi tandem|hello tandem|good evening], how [are you|is it going"
            "|are things|do you do|are you doing|is life]",
        "i am [fine|well|good|ok], [and you|how are you|what about you]",
        "[what are you doing|what are you up to|what have you been doing|what are you busy with"
            "|anything new|how did you sleep]",
        "[did you|have you] [sleep well|had a good day|have a good day|rest well|slept well]",
    ],
    "human": [
        "are you [a human|human|a person|a real person|a man|a woman|a robot|a bot|a machine|an ai"
            "|artificial|alive|a living being|a computer|a program|a boy or a girl|someone real|a chatbot]",
        "are you [a human or a robot|human or machine|a person or a program|a bot or a person"
            "|a man or a machine|an ai or a human|real or artificial]",
        "[is this|is it|is there|am i talking to|am i speaking to|am i chatting with|am i writing to]"
            " [a human|a person|a real person|a robot|a bot|a machine|an ai|a living person|a human being]",
        "[do you|can you] [have feelings|feel pain|think|sleep|eat|dream|have a body|have a soul|breathe"
            "|get tired|have parents|feel anything|have emotions]",
        "[you are|you're|so you are|so you're] [a robot|a bot|not human|not real|just a program|a machine"
            "|an ai|a human], [right|aren't you|true|or not|correct]",
        "[is there|is] a [human|person|man] [behind this|behind you|on the other end|answering me"
            "|typing this|there]",
        "[human or ai|human or bot|robot or human|bot or not|man or machine]",
        "[i think|i believe|i bet] you are [a human|a person|a robot|a real person|a bot]",
        "[prove|show] [that you are|you are] [human|a person|a robot|not a bot]",
        "do you [exist|really exist|live somewhere|have consciousness|know that you are a machine]",
    ],
    "languages": [
        "[what|which] languages [do you speak|do you know|can you speak|do you understand|are supported"
            "|can i use|can i write in|do you support|can we use]",
        "[do you|can you] [speak|understand|know|read|talk|write] [russian|english|german|french|spanish"
            "|chinese|italian|japanese|ukrainian|other languages|my language|any other language|polish]",
        "[can i|may i|could i|shall i] [write|speak|talk|ask|chat|type] [in russian|in english|in german"
            "|in french|in spanish|in my language|in another language|russian|to you in russian]",
        "how many languages [do you speak|do you know|can you speak|do you understand]",
        "[switch|change] [to russian|to english|to german|the language|to spanish|to another language]["
            "| please]",
        "[speak|talk|answer|reply|say it|write] [russian|in russian|english|in english|german|in german"
            "|in french][| please| to me]",
        "[are you|is the app|is tandem] [bilingual|multilingual|available in russian|translated"
            "|in english only]",
        "[is russian|is english|is german|is spanish|is french] [supported|possible|ok|okay|available]",
        "what is your [native language|mother tongue|main language|first language]",
        "[you speak|you know|you understand] [english|russian|german|french], [right|do you|don't you]",
        "[languages|language|which language]",
        "[my english is bad|i don't speak english well|i do not speak russian|i speak german]",
    ],
    "joke": [
        "[tell|say|give|show] [me|us] [a joke|a good joke|something funny|one joke|a short joke"
            "|another joke|a funny story|a pun]",
        "[tell a joke|a joke|joke|a joke please|one more joke|joke please|another joke please|another one]",
        "[do you|can you|could you|would you] [know|tell|tell me|make|crack] [a joke|jokes|any jokes"
            "|a good joke|something funny|a funny joke|some jokes]",
        "[i want|i need|i'd like|i would like|let's have|let me hear] [a joke|to laugh|something funny"
            "|to hear a joke|some fun|a laugh]",
        "[make me|can you make me|try to make me|i bet you can't make me] [smile|laugh out loud|giggle"
            "|chuckle|laugh a bit]",
        "[cheer|can you cheer] me up[| please| a bit]",
        "[amuse|entertain] me[| please| a little]",
        "[say|tell me|do you know] something [funny|amusing|hilarious|fun|to make me smile|entertaining]",
        "[are you|can you be] [funny|able to joke|amusing]",
        "[do you have|have you got|is there] [a sense of humor|a sense of humour|any humor in you"
            "|some humour]",
        "i [am|feel] [bored|sad|down|so bored][|, tell me a joke|, cheer me up|, amuse me]",
        "[jokes about|a joke about|tell me a joke about] [servers|computers|programmers|cats|you|tandem"
            "|macs]",
    ],
    "praise": [
        "[you are|you're|u r] [great|good|nice|the very best|awesome|amazing|wonderful|cool|smart|clever"
            "|brilliant|funny|sweet|cute|very kind|so helpful|a genius|so fast|quick|a star|fantastic"
            "|very smart|so nice|excellent]",
        "[well done|good job|great job|nice job|nice work|good work|great work|excellent work|bravo"
            "|good bot|good boy|way to go|attaboy|congratulations|good answer|great answer|nice answer"
            "|excellent answer|smart answer|clever you]",
        "[i like|i love|i really like|i adore|i enjoy] [you|this|it|your answers|this app|tandem"
            "|talking to you|how you talk|your style|your voice|that answer]",
        "[that was|this is|that is|that's|it is|this was] [great|awesome|amazing|fast|brilliant|cool"
            "|wonderful|impressive|perfect|fantastic|excellent|so good|beautiful|neat|super fast|lovely"
            "|a great answer]",
        "[wow|oh wow|ooh|haha], [great|amazing|nice|cool|impressive|you are good|you are fast|so fast"
            "|that is great|good one|that was good]",
        "[wow|haha|lol|funny|nice one|good one|that's funny|that made me laugh|that is hilarious"
            "|ha ha good one]",
        "[what a|such a] [great|good|nice|lovely|wonderful|clever|neat] [app|answer|program|little model"
            "|job|thing|reply]",
        "[tandem is|this app is|the app is|your answer is|your work is] [great|awesome|cool|amazing"
            "|perfect|the best|very nice|wonderful]",
        "[you did|you do|you are doing] [great|well|a great job|a good job|good work|fine work]",
        "[i am|i'm] [impressed|amazed|happy with you|a fan|very pleased|so happy with this|proud of you]",
        "you [rock|rule|made my day|are the coolest|make me happy|work so well|impress me|never disappoint]",
        "[love it|like it|awesome|amazing|brilliant|fantastic|impressive|wonderful|superb|perfect"
            "|excellent|beautiful]",
    ],
    "complaint": [
        "[you are|you're|u r] [bad|stupid|dumb|useless|wrong|slow|so slow|terrible|awful|annoying|an idiot"
            "|no good|the worst|boring|not helpful|not very smart|too slow|broken]",
        "[that is|that's|this is|it is|that was|this was] [wrong|bad|nonsense|not right|incorrect"
            "|not what i asked|not what i meant|not true|useless|terrible|rubbish|garbage|a bad answer"
            "|a mistake|stupid|awful|not helpful|not good|a lie|not an answer]",
        "[wrong|bad answer|wrong answer|bad bot|nonsense|rubbish|terrible|awful|no good|useless|not good"
            "|that's not it|incorrect|fail|boo|ugh|wtf]",
        "[i don't|i do not|i didn't] [like|love] [you|this|it|your answer|your answers|this app"
            "|that answer|the way you answer]",
        "[i am|i'm] [angry|disappointed|unhappy|not happy|not satisfied|annoyed|frustrated|upset"
            "|sick of this][| with you| about this]",
        "you [don't|do not|didn't|did not|never] [understand|understand me|listen|help|answer|get it"
            "|get me|answer my question|help me|answer the question]",
        "[it|this|tandem|this app|the app|nothing|that] [doesn't work|does not work|is broken|is slow"
            "|keeps failing|is terrible|works badly|did not help|didn't help|makes no sense]",
        "[no|nope|no no], [that is wrong|that's wrong|not that|you are wrong|wrong|that is not it"
            "|i meant something else|that is not right]",
        "why are you so [slow|stupid|dumb|bad|useless|rude|small|limited]",
        "[you|you keep|you just] [repeat yourself|repeating yourself|say the same thing"
            "|saying the same thing|made a mistake|are mistaken|got it wrong|made that up|failed|failed me"
            "|talking nonsense|lied to me]",
        "[i hate|i can't stand|i am tired of] [you|this|this app|it|your answers]",
        "[what nonsense|what a mess|such nonsense|how useless|how stupid|what a bad answer|what rubbish"
            "|are you kidding me|you must be joking]",
        "[try again|do better|you can do better|that could be better|not good enough|the answer is wrong"
            "|your answer is wrong|the last answer was wrong]",
    ],
    "ack": [
        "[ok|okay|k|kk|okey|okie|alright|all right|sure|fine|right|got it|i see|understood|yes|yep|yeah"
            "|yup|aha|uh huh|roger|clear|noted|deal|agreed|indeed|good|hmm|hm|mhm|oh|well|so|true|exactly"
            "|of course|no problem|no worries]",
        "[ok|okay|alright|yes|yeah|right|sure|fine|good|well|oh], [i see|got it|understood|i understand"
            "|clear|i got it|makes sense|fine|good|let me think|sounds good|will do|agreed|deal|noted"
            "|no problem]",
        "[i see|i understand|i got it|i get it|got it|that makes sense|makes sense|that is clear|all clear"
            "|everything is clear|it is clear][| now| then]",
        "[sounds good|sounds great|sounds right|sounds fine|good to know|fair enough|as you say"
            "|as you wish|if you say so|why not|very well|let it be so|so be it|good enough]",
        "[no|nope|nah|not now|not really|nothing|never mind|nevermind|maybe|maybe later|not yet"
            "|i don't know|i will think about it|let me think|later maybe|wait|one moment|hold on"
            "|just a second]",
        "[sorry|i am sorry|excuse me|pardon|my bad|oops|my mistake|sorry about that|i was joking"
            "|just kidding|i was only kidding]",
        "[you are right|you're right|that's right|that is right|that is true|that's true|i agree"
            "|i agree with you|i think so too|right you are]",
        "[interesting|really|oh really|is that so|seriously|curious|good to hear|glad to hear that"
            "|i am glad|nice to know|cool|nice|great]",
        "[let us|let's|we can] [continue|go on|carry on|move on|leave it there|keep going]",
    ],
    "beyond": [
        "[write|make|create|compose|draft|generate|please write|can you write|could you write|write me"
            "|help me write] [a poem|a letter|an email|an essay|a story|a song|a function|a python script"
            "|some code|a program|a report|a sql query|a cover letter|a speech|a summary|a haiku|a test"
            "|a regex|a bash script][| about the sea| about my dog| about spring| for my boss| for school"
            "| in python| in typescript| that sorts a list| to a friend| about winter]",
        "[translate|can you translate|please translate] [this text|this sentence|this letter|a page"
            "|the following|this word|my essay] [into german|into french|to english|to spanish|for me"
            "|into russian]",
        "[solve|calculate|compute|can you solve|work out] [this equation|this problem|the integral"
            "|this puzzle|two plus two|17 times 23|my homework|the area of a circle|a riddle]",
        "[fix|debug|refactor|review|explain|improve|optimise|can you fix|can you debug|can you explain]"
            " [my code|this code|this function|this bug|this error|the bug|my script|my sql query"
            "|this component|this class|my program|my regex|the stack trace]",
        "what is the [capital of france|weather today|weather like in paris|time|height of everest"
            "|population of japan|price of gold|meaning of life|boiling point of water|square root of 144"
            "|date today|speed of light]",
        "who [wrote hamlet|was the first man on the moon|is the president|discovered penicillin"
            "|painted the mona lisa|won the world cup]",
        "[summarise|summarize|analyse|analyze|compare|shorten|proofread|edit|rewrite] [this text"
            "|this article|my essay|these two files|the data|this report|my notes|this table|this contract]",
        "[plan|organise|organize] [my trip|a trip to rome|my week|a party|my day|a diet|a workout]",
        "[give me|suggest|find me|recommend] [a recipe|a recipe for soup|ideas for a gift|a book to read"
            "|a film|ten business ideas|a name for my cat|tips for an interview]",
        "how [do i cook rice|to lose weight|far is the moon|do planes fly|does a heart work"
            "|many people live in china|to learn piano|do i center a div|do i reverse a string|to invest money]",
        "why [is the sky blue|do cats purr|did rome fall|does it rain|is the sea salty]",
        "[can you|could you|are you able to] [code|program|do maths|do math|write code|write texts|draw"
            "|translate|search the web|read files|analyse data|count|do my homework]",
        "[explain|tell me about] [quantum physics|the french revolution|black holes|recursion"
            "|the second world war|photosynthesis|inflation]",
    ],
}
